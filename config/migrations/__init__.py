"""The database's history: every table, one revision after another."""
