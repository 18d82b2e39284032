"""Who decided what, why, and whether it reached AWS."""
