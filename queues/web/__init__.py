"""Desk, wallboard, calls and tickets."""
