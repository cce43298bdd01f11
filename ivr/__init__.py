"""The conversation with the caller, and the front door."""
