"""Benches: what the house costs beside the least that the same work can cost, as ratios within one run.

No figure here is an absolute promise: both sides of a ratio run on the same machine in turns, and do the same
kind of work. `python -m tests.bench` runs them; docs/bench.md says what each ratio means.
"""
