"""Work that waits: calls, agents, offers, tickets, and the answer-time figures."""
