"""Days in virtual time: the real front door and dispatchers on the real store, a provider with faults, people, and
an auditor who believes nothing but the journal. One seed decides everything."""
