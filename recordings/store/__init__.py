"""Where recordings and their audio are kept."""
