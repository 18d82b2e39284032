"""Secrets that one person can open once."""
