"""One webhook in, one document's worth of verbs out."""
