"""Where the conversation is kept."""
