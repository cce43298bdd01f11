"""A day in virtual time, against what queueing theory and the live scripts say."""
