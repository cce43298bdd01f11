"""A small telephone company of our own, for demos and tests."""
