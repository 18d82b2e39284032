"""Starts the portal's processes and its embedded servers, watches them, and ends them together."""
