"""Due effects: what is still to be done to the outside world.

The script that decides an effect writes it, a loop performs it, then acknowledges it. So an effect may be
performed twice, and each is safe to repeat. Its id is made of what it is about: written twice, it is one.
"""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import NewType

EffectId = NewType("EffectId", str)


class EffectKind(StrEnum):
    RING = "ring"  # place the agent's leg for an offer
    PULL = "pull"  # take the caller out of the provider's queue, to the agent who accepted
    DIAL = "dial"  # place the leg of a customer who asked to be called back
    RECORD = "record"  # record the caller's leg
    HOLD = "hold"  # put the caller on hold, or take him back, as the call says
    HANG_UP = "hang_up"  # end a leg nobody needs


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    effect_id: EffectId
    kind: EffectKind
    call_id: str = ""
    offer_id: str = ""
    agent_id: str = ""
    leg_id: str = ""
    to: str = ""  # the endpoint to ring
    line: str = ""  # the site's line the caller dialled
    attempt: int = 0

    def to_json(self) -> str:
        fields = {name: value for name, value in asdict(self).items() if name != "effect_id"}
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, effect_id: str, text: str) -> "Effect":
        fields = json.loads(text)
        return cls(**{**fields, "effect_id": EffectId(effect_id), "kind": EffectKind(fields["kind"])})
