"""The commands of the switchboard: one value each, under the same word on every layer.

`ClaimOffer` is the rule `claim_offer` in `domain.switchboard`, the script `claim_offer.lua` and the method
`Switchboard.claim_offer`; its fields are the script's arguments, by name. A command carries its time and
every length it needs, so neither the rules nor the scripts know a plan.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

FORGET_MS: Final = 6 * 3_600_000  # an ended call is answered for so long; then SQL alone knows it


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    now_ms: int

    def arguments(self) -> dict[str, str | int]:
        """The script's arguments."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def name_of(command: type[Command]) -> str:
    return _words_of(command.__name__)


@cache
def _words_of(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrive(Command):
    call_id: str
    line: str
    caller_ref: str
    number: str
    number_key: str
    default_tier: str
    default_locale: str
    is_internal: bool
    site_version: str  # unless another has been activated


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifyCall(Command):
    call_id: str
    account_key: str
    default_tier: str
    wrong_max: int  # so many that nobody has, and no further one is looked up


@dataclass(frozen=True, slots=True, kw_only=True)
class AnonymiseCall(Command):
    call_id: str
    default_tier: str
    forget_ms: int = FORGET_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepGiven(Command):
    call_id: str
    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckCase(Command):
    call_id: str
    step: (
        int  # the menu step that asks, -1 = the call's; at the same or an earlier one it is the same question
    )
    wrong_max: int  # wrong answers in one call
    case_wrong_max: int  # wrong answers about one case, in so long
    case_within_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinTicket(Command):
    call_id: str
    ticket_no: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepMenu(Command):
    call_id: str
    node: str
    step: int
    locale: str  # "" = as before
    record: str  # wanted | refused | "" = as before


@dataclass(frozen=True, slots=True, kw_only=True)
class EnqueueCall(Command):
    call_id: str
    queue: str
    matter: str
    tier: str
    lane_id: str
    lane: str
    head_start_ms: int
    locale: str
    ticket_type: str  # "" = no ticket
    ticket_on: str
    work_queue: str
    is_open: bool
    access_key: str = ""  # of the access code that is told with the ticket
    own_ticket: bool = False  # also when the call was added to another one before
    named: str = ""  # whom it is offered to first, see named.Named
    forget_ms: int = FORGET_MS  # of a callback that this call takes over
    waiting_max: int = 0  # with so many waiting the queue takes no new caller; 0 = it is never full


@dataclass(frozen=True, slots=True, kw_only=True)
class TouchCall(Command):
    """From a wait document also what may be told now: `every_ms` = 0: nothing is."""

    call_id: str
    round_no: int = -1
    first_ms: int = 0
    every_ms: int = 0
    fresh_ms: int = 0  # an estimate older than this is not told


@dataclass(frozen=True, slots=True, kw_only=True)
class DivertCall(Command):
    call_id: str
    to: str
    step: int = -1  # of the menu that leads him there, as long as he is in the menu at no later one; -1 = any


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadCall(Command):
    call_id: str
    node: str  # of the menu
    queue: str  # as long as he waits there


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnCall(Command):
    call_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveMessage(Command):
    call_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndCall(Command):
    call_id: str
    by: str  # caller | agent | system
    wrap_up_ms: int
    linger_ms: int  # how long a caller who is let go may take to leave by himself
    forget_ms: int  # how long an ended call is remembered
    place_kept_ms: int = 0  # how long his place is, when he was waiting
    connect_ms: int = 0  # how long he and a colleague who was asked may take to meet
    offer_id: str = ""  # of the agent who has gone: only as long as it is the call's; "" = whatever it is
    leg_id: str = ""  # whose news it is; "" = not told


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetCall(Command):
    call_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DropPlace(Command):
    caller_ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetCaller(Command):
    caller_ref: str
    forget_ms: int = FORGET_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class AskCallback(Command):
    call_id: str
    linger_ms: int  # how long he may take to hang up
    expires_ms: int
    forget_ms: int = FORGET_MS  # of a callback whose place is the younger


@dataclass(frozen=True, slots=True, kw_only=True)
class RingBack(Command):
    call_id: str
    queue: str
    matter: str
    tier: str
    lane_id: str
    lane: str
    head_start_ms: int
    locale: str
    named: str
    agent_id: str  # who wants to talk to him
    expires_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TendCallback(Command):
    call_id: str
    opens_ms: int  # the instant at which we call again; not in the future: we call now
    closes_ms: int  # until then; 0 = for ever
    hold_ms: int  # while an agent has it, it is looked at again so much later
    forget_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceCustomer(Command):
    offer_id: str
    leg_id: str
    is_up: bool  # he has answered: whoever tells this has words for him


@dataclass(frozen=True, slots=True, kw_only=True)
class ReachCustomer(Command):
    offer_id: str
    leg_id: str
    remembers: bool = False  # who talked with whom: for when he calls again


@dataclass(frozen=True, slots=True, kw_only=True)
class MissCustomer(Command):
    offer_id: str  # "" = the one that the leg was placed for
    leg_id: str  # "" = not told
    why: str  # unanswered | unreached | no_key | deadline; of who waits on the line always `left`
    every_ms: int
    tries_max: int
    forget_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn(Command):
    agent_id: str
    name: str
    skills: str
    endpoint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPresence(Command):
    agent_id: str
    presence: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat(Command):
    agent_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoseAgent(Command):
    agent_id: str
    silent_ms: int  # lost when he was silent for longer and another agent was not


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimOffer(Command):
    call_id: str
    agent_id: str
    turn: int
    place_ms: int  # how long the phone may take until it rings
    lease_ms: int  # the due ring belongs to the claimer for so long
    why: str  # JSON
    is_turn: bool = False  # it is his turn in a rotation
    hold_ms: int = 60_000  # how long a callback rests whose customer is being called by another one
    dial_ms: int = 0  # the customer of a callback is called first, and may take so long; 0 = the agent is


@dataclass(frozen=True, slots=True, kw_only=True)
class SetReserve(Command):
    """The seats that a queue keeps for some tiers are for everybody from now on, or are kept again."""

    queue: str
    is_armed: bool
    waited_ms: int  # the longest of those they are not kept for


@dataclass(frozen=True, slots=True, kw_only=True)
class RingOffer(Command):
    offer_id: str
    leg_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ringing(Command):
    offer_id: str
    leg_id: str  # "" = not told
    ring_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerOffer(Command):
    offer_id: str
    leg_id: str
    whisper_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptOffer(Command):
    offer_id: str
    leg_id: str
    connect_ms: int  # how long the pull may take
    dial_ms: int = 90_000  # how long it may take to reach a customer who is called back


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclineOffer(Command):
    offer_id: str
    skip_ms: int
    leg_id: str = ""  # whose news it is; "" = not told


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpireOffer(Command):
    offer_id: str
    by: str  # deadline | provider
    skip_ms: int
    missed_max: int
    leg_id: str = ""  # whose news it is; "" = not told


@dataclass(frozen=True, slots=True, kw_only=True)
class UnringOffer(Command):
    offer_id: str
    skip_ms: int
    leg_id: str = ""  # whose news it is; "" = not told


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectCall(Command):
    call_id: str
    offer_id: str
    remembers: bool = False  # who talked with whom: for when he calls again


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetMet(Command):
    """Who talked with whom is forgotten, if it was not later than `before_ms`."""

    before_ms: int
    met_max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RequeueCall(Command):
    call_id: str
    offer_id: str
    by: str  # deadline | agent | provider
    skip_ms: int
    leg_id: str = ""  # whose news it is; "" = not told
    forget_ms: int = FORGET_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferCall(Command):
    call_id: str
    agent_id: str  # who talks with the caller
    queue: str
    lane_id: str
    lane: str
    head_start_ms: int
    named: str  # the colleague who is asked first, see named.Named; "" = anybody
    skip_ms: int
    wrap_up_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldCall(Command):
    call_id: str
    agent_id: str  # who talks with the caller
    is_held: bool  # False: back to the caller, and a colleague who is being asked is let go


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsultAgent(Command):
    call_id: str
    agent_id: str  # who talks with the caller
    colleague_id: str
    place_ms: int  # how long the colleague's phone may take until it rings


@dataclass(frozen=True, slots=True, kw_only=True)
class EndConsult(Command):
    offer_id: str
    leg_id: str  # the colleague's, which is down; "" = not told


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOverCall(Command):
    call_id: str
    agent_id: str  # who talked with the caller
    wrap_up_ms: int
    connect_ms: int  # how long caller and colleague may take to meet


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendWrapUp(Command):
    agent_id: str
    by_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseWrapUp(Command):
    agent_id: str
    disposition: str
    by: str  # deadline | agent


@dataclass(frozen=True, slots=True, kw_only=True)
class DropDeadline(Command):
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimEffects(Command):
    lease_ms: int
    effects_max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallEffects(Command):
    """What a dead performer had taken is due again, except what the new leader is performing itself."""

    in_hand: str  # effect_ids, one a line


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishEffect(Command):
    effect_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryEffect(Command):
    effect_id: str
    due_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FailEffect(Command):
    effect_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepEstimates(Command):
    estimates: str  # JSON: lane_id -> estimates.text_of; those of before are gone


@dataclass(frozen=True, slots=True, kw_only=True)
class WeighSurge(Command):
    surge_id: str
    level: str  # surges.Level
    subject: str  # JSON, see surges.Subject
    calm_ms: int
    on_call: str  # agent ids joined by ","


@dataclass(frozen=True, slots=True, kw_only=True)
class RaiseNotice(Command):
    notice_id: str
    notice: str  # JSON
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearNotice(Command):
    notice_id: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RelaneCall(Command):
    call_id: str
    from_lane_id: str  # where it was when the supervisor looked
    lane_id: str
    lane: str
    is_raised: bool  # else moved
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LendAgent(Command):
    agent_id: str
    queue: str
    skills: str  # of the queue
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeBackAgent(Command):
    agent_id: str
    queue: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseQueue(Command):
    queue: str
    leads: bool  # those who wait as well
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenQueue(Command):
    queue: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivateVersion(Command):
    version: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AppendLine(Command):
    type: str
    call_id: str
    data: str  # JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class RaiseCounters(Command):
    """What SQL has seen; the live store is raised to it, never lowered."""

    last_ms: int
    last_seq: int
    arrivals: int
    tickets: int
    server: str  # after a restart it is another, which may have lost its last second
    tickets_unseen: int  # so many numbers may have been told in that second, and written down nowhere
