"""The product pages: one module each."""
