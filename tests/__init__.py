"""The suite: one folder per app, one file per use-case or page."""
