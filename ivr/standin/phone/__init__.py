"""The phone page: a browser as a caller's phone, for people who want to try the hotline themselves."""
