"""The read API: what programs are told, in names that stay, by one list of operations of which the document is made."""
