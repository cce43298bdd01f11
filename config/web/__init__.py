"""The web edge: signed webhooks, accounts, templates and event streams."""
