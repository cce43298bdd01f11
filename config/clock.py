"""The only reader of time.

Product time is real time moved and scaled by one value, ``origin:anchor:speed``, which every process and
page of an installation shares: at the real instant ``anchor_ms`` the product's clock shows ``origin_ms``,
and it runs ``speed`` times as fast as the wall. What people live through (ringing, patience, wrap-up) is
written in product milliseconds and scales with it. What wires and machines do (a socket's time limit, a
lease) is written in real seconds, and ``product_ms`` turns it into product time where the two must meet.
"""

import asyncio
import math
import time
from typing import Self


class ClockTextError(ValueError):
    """A clock is written origin_ms:anchor_ms:speed, for example 1795395600000:1790000000000:30."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{self.__doc__} This was {text!r}.")


class Clock:
    """One mapping from the wall to the product's time; equal clocks show the same instant."""

    def __init__(self, origin_ms: int, anchor_ms: int, speed: float) -> None:
        if not (math.isfinite(speed) and speed > 0):
            raise ValueError("a clock's speed is above zero")
        self.origin_ms = origin_ms
        self.anchor_ms = anchor_ms
        self.speed = speed

    @classmethod
    def real(cls) -> Self:
        """The wall clock itself."""
        return cls(0, 0, 1)

    @classmethod
    def starting_at(cls, origin_ms: int, speed: float) -> Self:
        """A clock that shows ``origin_ms`` now and runs on from there."""
        return cls(origin_ms, _wall_ms(), speed)

    @classmethod
    def parse(cls, text: str) -> Self:
        try:
            origin, anchor, speed = text.split(":")
            return cls(int(origin), int(anchor), float(speed))
        except ValueError:
            raise ClockTextError(text) from None

    def __str__(self) -> str:
        return f"{self.origin_ms}:{self.anchor_ms}:{self.speed:.12g}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Clock) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))

    @property
    def is_real(self) -> bool:
        return self == Clock.real()

    def now_ms(self) -> int:
        """The product's present, in milliseconds since the epoch."""
        return self.origin_ms + round((_wall_ms() - self.anchor_ms) * self.speed)

    async def sleep(self, for_ms: float) -> None:
        """Wait until ``for_ms`` of the product's time have gone by."""
        await asyncio.sleep(max(0.0, self.real_s(for_ms)))

    def real_s(self, for_ms: float) -> float:
        """How many real seconds a length of product time takes."""
        return for_ms / 1000 / self.speed

    def product_ms(self, real_s: float) -> int:
        """How much product time passes in a number of real seconds: a network limit, a lease."""
        return round(real_s * 1000 * self.speed)


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000
