"""The supervisor behind `manage.py up`."""
