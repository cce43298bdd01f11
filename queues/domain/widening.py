"""The widening table of a queue: what else becomes possible the longer a call waits, and the promise to call back.

Each step has an instant and does exactly one thing: other agents may answer too (`to` a queue, or `ring` a
skill), the caller is offered a call back (`offer: callback`), or he is led to a node of the menu (`goto`). The table
is read anew whenever somebody looks, from the caller's `queued_ms`, `goto` alone from when he came to wait in this
call; no step ends a call.
"""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field, model_validator

from queues.domain.parts import Duration, Part

KINDS: Final = ("to", "offer", "ring", "goto")


class Overflow(Part):
    """One step of the table."""

    after_ms: Duration = Field(alias="after")
    to_queue: str | None = Field(default=None, alias="to")
    front: bool = False
    surge: bool = False  # in a surge it counts at once
    offer: Literal["callback"] | None = None
    ring: str | None = None
    goto: str | None = None

    @model_validator(mode="after")
    def _does_one_thing(self) -> Overflow:
        kinds = (self.to_queue, self.offer, self.ring, self.goto)
        if sum(kind is not None for kind in kinds) != 1:
            raise ValueError(f"a step of overflow has exactly one of: {', '.join(KINDS)}")
        if self.surge and (self.offer or self.goto):
            raise ValueError("'surge' goes with 'to' or 'ring': it is more agents at once")
        if self.front and self.to_queue is None:
            raise ValueError("'front' goes with 'to': it is a place before everybody in that queue")
        return self


class CallbackTerms(Part):
    """How whoever asked for a call back is called: who is rung first, how often, how far apart, and when."""

    first: Literal["agent", "customer"] = "agent"
    tries: int = Field(default=3, ge=1, le=9)
    every_ms: Duration = Field(default=600_000, alias="every")
    window: str | None = None
    expires_ms: Duration = Field(default=86_400_000, alias="expires")


def callback_after_ms(steps: tuple[Overflow, ...]) -> int | None:
    """After what wait a call back is offered; None: never."""
    return next((step.after_ms for step in steps if step.offer == "callback"), None)


def goto_step(steps: tuple[Overflow, ...]) -> Overflow | None:
    """The step that leads whoever waits so long to the menu, if there is one."""
    return next((step for step in steps if step.goto), None)
