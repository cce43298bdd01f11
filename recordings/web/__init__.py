"""Recording callbacks and playback."""
