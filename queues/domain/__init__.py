"""Rules as pure values and functions."""
