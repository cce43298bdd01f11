"""What was said, and what we make of it."""
