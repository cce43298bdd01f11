"""Chance by seed: each draw is a function of the seed and what it is drawn for.

Draws do not depend on the order in which tasks happen to run, so a seed names the same faults for the same
calls however busy the machine is.
"""

import hashlib


class Chance:
    def __init__(self, seed: int) -> None:
        self.seed = seed

    def draw(self, *subject: object) -> float:
        """A number from 0 up to, and without, 1."""
        text = repr((self.seed, *subject)).encode()
        return int.from_bytes(hashlib.blake2b(text, digest_size=7).digest(), "big") / 2**56

    def happens(self, rate: float, *subject: object) -> bool:
        return rate > 0 and self.draw(*subject) < rate
