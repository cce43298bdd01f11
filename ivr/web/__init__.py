"""Provider webhooks and their documents."""
