"""The `people` part of the stand-in's configuration, as values: who may call, who answers, and when.

Whatever is wrong in the file is told at once, each fault with its place (`calls.3.talk_ms`). Lengths are
product milliseconds; `at_ms` counts from the scenario's start, so that the same file plays on any clock.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, model_validator

HOUR_MS = 3_600_000
CALLS_MAX = 100_000

Length = Annotated[int, Field(ge=0, le=24 * HOUR_MS)]
Share = Annotated[float, Field(ge=0, le=1)]
Reached = Literal["answers", "unanswered", "mailbox", "busy"]
Answer = Annotated[str, Field(pattern=r"^([0-9*#]*|[^0-9*#]{1,100})$")]
"""Keys to press, or words to say."""


class ScenarioError(ValueError):
    """The scenario cannot be played; every fault is named with its place."""


class Part(BaseModel):
    """A piece of a scenario: frozen, and an unknown word in it is a fault."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Customer(Part):
    """Someone with a number, as the hotline's register knows him; the phone page dials as him."""

    name: str
    number: str
    tier: str = ""
    tier_name: Mapping[str, str] = Field(default_factory=dict)


class PlannedCall(Part):
    """What one caller intends. The default caller listens, waits as long as it takes, talks and hangs up."""

    at_ms: int = Field(default=0, ge=0)
    from_: str = Field(validation_alias=AliasChoices("from", "from_"), serialization_alias="from")
    to: str
    keys: tuple[Answer, ...] = ()
    """One entry per new question heard, in order; an empty one means saying nothing to that question."""
    key_delay_ms: Length = 1_500
    menu_ms: Length | None = None
    """Hangs up when neither queued nor connected this long after the line was picked up."""
    patience_ms: Length | None = None
    """Hangs up when not connected this long after first being queued."""
    talk_ms: Length = 120_000
    ends_talk: bool = True
    message: str = ""
    """Said after a beep; empty: hangs up at the beep without a word."""
    message_ms: Length = 12_000
    refuses_recording: bool = False
    takes_callback: bool = False
    """Whether he would rather be called back than wait, once that is offered to him."""
    when_called_back: tuple[Reached, ...] = ()
    """What becomes of one ring of his phone after another; then, and by default, he answers and presses the key."""
    tier: str = ""
    matter: str = ""


class Habits(Part):
    """How an agent works; chances are per offered call."""

    answers_after_ms: Length = 4_000
    miss_share: Share = 0.0
    decline_share: Share = 0.0
    talk_ms: Length | None = None
    """Hangs up after talking this long; None leaves the end of the talk to the caller."""
    hold_share: Share = 0.0
    """Of his talks, in how many he puts the caller on hold for a while, and takes him back."""
    consult_share: Share = 0.0
    """In how many he asks a ready colleague, and hands the caller over or takes him back."""
    transfer_share: Share = 0.0
    """In how many he puts the caller through to another queue."""
    pass_share: Share = 0.0
    """In how many to a colleague, without asking."""
    acts_after_ms: Length = 20_000
    """How long he talks before he does one of these."""
    hold_ms: Length = 15_000
    wrap_up_ms: Length = 15_000
    break_every_ms: Length | None = None
    break_for_ms: Length = 300_000
    returns_after_ms: Length = 20_000
    """After a missed call the desk may have set him away; this long later he says ready again."""
    spread: Share = 0.3
    """Each length is drawn within this share around its value, so that no two agents move in step."""


class Agent(Part):
    """An account at our desk and a phone on the stand-in's exchange."""

    name: str
    password: str = Field(repr=False)
    identity: str
    habits: Habits = Field(default_factory=Habits)


class Outsider(Part):
    """Somebody with a telephone outside, to whom the hotline may put a caller through."""

    number: str
    answers_after_ms: Length = 5_000
    answer_share: Share = 0.8
    """How often he picks up at all."""
    talk_ms: Length = 45_000


class Errand(Part):
    """One kind of call in a seeded day: who makes it, what is pressed, how long it lasts."""

    weight: float = Field(default=1, ge=0)
    tier: str = ""
    """Customers of this tier make it; empty: strangers, from numbers nobody knows."""
    matter: str = ""
    to: str
    keys: tuple[Answer, ...] = ()
    talk_mean_ms: Length = 150_000
    patience_mean_ms: Length = 240_000
    leaves_in_menu_share: Share = 0.04
    refuses_recording_share: Share = 0.02
    takes_callback_share: Share = 0.0
    missed_callback_share: Share = 0.0
    """Of those, how many are not there when they are first rung: nobody answers, a mailbox does, or it is engaged."""
    message: str = ""


class Profile(Part):
    """A day from a seed: an expected number of calls, their shape over 24 hours, and the errands they run."""

    calls_per_day: float = Field(gt=0, le=CALLS_MAX)
    hourly: tuple[Annotated[float, Field(ge=0)], ...] = ()
    """24 relative weights; empty: those of a utility's hotline."""
    starts_at_ms_of_day: int = Field(default=9 * HOUR_MS, ge=0, lt=24 * HOUR_MS)
    for_ms: int = Field(default=HOUR_MS, gt=0, le=31 * 24 * HOUR_MS)
    errands: tuple[Errand, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _shape_is_a_day(self) -> Self:
        if self.hourly and (len(self.hourly) != 24 or not sum(self.hourly)):
            raise ValueError("hourly needs 24 weights that are not all zero")
        return self


class Scenario(Part):
    """Everyone who lives on the stand-in. Arrivals are planned calls, a seeded profile, both, or none."""

    seed: int = 1
    desk_url: str = ""
    """Base address of our desk, where agents sign in; empty: agents have a phone but no desk."""
    lines: Mapping[str, str] = Field(default_factory=dict)
    """Name of a line -> its number: what the phone page offers to dial."""
    line_names: Mapping[str, Mapping[str, str]] = Field(default_factory=dict)
    """Name of a line -> what the phone page calls it, in Chinese and English."""
    outsiders: tuple[Outsider, ...] = ()
    customers: tuple[Customer, ...] = ()
    agents: tuple[Agent, ...] = ()
    calls: tuple[PlannedCall, ...] = Field(default=(), max_length=CALLS_MAX)
    profile: Profile | None = None
    starts_at_ms: int | None = None
    """Product instant the day begins; None: once the agents have signed in."""
    until_ms: int | None = Field(default=None, gt=0)
    """Nobody dials later than this after the start; who is on the line then finishes his call."""
    callers_max: int = Field(default=400, ge=1, le=5_000)
    """Callers on the line at once; who comes when the house is full dials when one has gone."""
    drain_ms: int = Field(default=2 * HOUR_MS, gt=0)
    """After the last arrival, callers still on the line hang up after this long: the day does end."""


def read_scenario(data: Mapping[str, object]) -> Scenario:
    """Check and freeze the `people` part of a configuration."""
    try:
        return Scenario.model_validate(data)
    except ValidationError as refused:
        faults = [
            f"{'.'.join(str(step) for step in fault['loc'])}: {fault['msg']}" for fault in refused.errors()
        ]
        raise ScenarioError("people." + "\npeople.".join(faults)) from None
