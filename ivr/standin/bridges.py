"""Two legs that hear each other; what one does ends it for both."""

from ivr.standin.calls import Call
from ivr.standin.inbox import Key, Target, Tidings


class Bridge:
    """Each leg joins for itself.

    ``target`` is what the second leg hears before it is joined, ``awaited`` the leg that has won the right
    to be the second, ``freed`` one that was redirected away and lives on.
    """

    def __init__(self, target: Target | None = None) -> None:
        self.target = target
        self.legs: list[Call] = []
        self.is_over = False
        self.has_talked = False
        self.awaited: Call | None = None
        self.freed: Call | None = None

    def join(self, call: Call) -> None:
        if self.is_over:
            return
        self.legs.append(call)
        if len(self.legs) == 2:
            self.has_talked = True
            for leg, other in (self.legs, self.legs[::-1]):
                leg.hear("bridged", other.from_ if other.direction == "inbound" else other.to)

    def break_off(self, by: Call) -> None:
        """The bridge ends; the other leg is told."""
        if self.is_over:
            return
        self.is_over = True
        for leg in self.legs:
            if self.has_talked:
                leg.hear("unbridged")
            if leg is not by:
                leg.inbox.put(Tidings("bridge over", self))

    async def talk(self, call: Call, for_ms: float | None = None, *, star_ends: bool = False) -> None:
        """Stay until the other leaves, the time is over, or (if so wished) this one presses star."""
        while not self.is_over:
            signal = await call.inbox.take(for_ms)
            if signal is None or (star_ends and isinstance(signal, Key) and signal.digit == "*"):
                return
