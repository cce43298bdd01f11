"""A day of calls in virtual time: what the routing would have done with them, before it does it to anybody."""
