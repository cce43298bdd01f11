"""The provider's REST surface, one file per resource, thin over the exchange."""
