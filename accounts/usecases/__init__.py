"""The verbs: one thing that one person decides. Access, validate, save, record; no network."""
