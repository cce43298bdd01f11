"""Rules about recordings as pure values and functions."""
