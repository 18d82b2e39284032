"""Measurements, as tables and as JSON. They never fail a test: what a machine under load says is no verdict."""
