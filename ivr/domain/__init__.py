"""The menu and what it says, as pure values and functions."""
