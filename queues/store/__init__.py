"""Where calls, agents, offers and tickets are kept."""
