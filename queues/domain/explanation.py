"""A call explained: why it waited so long, who went before it, and why it went to this agent.

Nothing is decided anew. What is said is read from the journal's lines of the call, from the reasons stored with
each offer, and from what was offered to others meanwhile. A `Said` names a sentence and what stands in it; the pages
and the command line have the words, in Chinese and in English. Values are told by their names: `…_for` is a length in
ms, `…_at` an instant in ms; `tier`, `queue`, `matter` and `agent` are ids.

What cannot be read is said to be missing, never guessed at.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from queues.domain.agents import AT_WORK, AgentState
from queues.domain.journal import Line, LineType
from queues.domain.lanes import Class, Lane, Rank, rank
from queues.domain.plan import Plan
from queues.domain.routing import RAISED, widen
from queues.domain.skills import skills_of, tiers_of

Why = Mapping[str, Any]
AT_ONCE_MS: Final = 2_000
PASSERS_TOLD: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One sentence: its key, what stands in it, and the instant it is about."""

    key: str
    at_ms: int | None = None
    values: Mapping[str, Any] = field(default_factory=dict)


def said(key: str, at_ms: int | None = None, /, **values: Any) -> Said:
    return Said(key=key, at_ms=at_ms, values=values)


def _rule(why: Why) -> Iterable[Said]:
    if why["rule"] in ("safety", "ceiling"):
        yield said(f"why.{why['rule']}")
    elif why["is_front"]:
        yield said("why.front")
    elif why["head_start_ms"]:
        yield said("why.head_start", head_start_for=why["head_start_ms"], tier=_first_tier(why))
    else:
        yield said("why.no_head_start")


def _raised(why: Why) -> Iterable[Said]:
    if why.get("rank") == RAISED:
        yield said("why.raised")


def _place(why: Why) -> Iterable[Said]:
    if why["lanes"] <= 1:
        yield said("why.waited_alone", waited_for=why["waited_ms"])
    else:
        yield said("why.waited", waited_for=why["waited_ms"], n=why["lanes"])


def _widening(why: Why) -> Iterable[Said]:
    first, *reached = why["queues"]
    if reached:
        yield said("why.widened", from_queue=first, queues=reached)


def _surge(why: Why) -> Iterable[Said]:
    if why["surge"]:
        yield said("why.surge")


def _next(why: Why) -> Iterable[Said]:
    """Who would have been first without this call, and by how much he stood behind."""
    candidates: Sequence[Mapping[str, Any]] = why["candidates"]
    if len(candidates) < 2:  # himself and the next
        return
    second = candidates[1]
    queue, tier = queue_and_tier(second["lane"])
    if second["rule"] != why["rule"]:
        yield said("why.next_other_rule", tier=tier, queue=queue)
    else:
        yield said("why.next", behind_for=second["key"] - why["key"], tier=tier, queue=queue)


def _agent(why: Why) -> Iterable[Said]:
    agent = why["agent"]
    if "named" in why:
        yield said(f"why.agent_{why['named']['why']}", agent=agent["agent_id"])
    elif agent["eligible"] <= 1:
        yield said("why.agent_only", agent=agent["agent_id"])
    else:
        idle_for = agent["idle_for_ms"]
        yield said("why.agent", agent=agent["agent_id"], n=agent["eligible"], idle_for=idle_for)


def _asked(why: Why) -> Iterable[Said]:
    """Whom the caller would have been given first, and did not get."""
    for each in why["asked"]:
        if each["agent_id"] == why["agent"]["agent_id"]:
            continue
        is_gone = each["is"] in (AgentState.SIGNED_OUT, AgentState.AWAY)
        key = "busy" if each["is"] in AT_WORK else "gone" if is_gone else "else"
        about = {"agent": each["agent_id"], "role": each["why"], "wait_for": each["wait_ms"]}
        yield said(f"why.asked_{key}", **about)


def _seat(why: Why) -> Iterable[Said]:
    """How the seats and the order of the queue told who it was."""
    if why.get("seat") == "dedicated":
        yield said("why.seat_dedicated", agent=why["agent"]["agent_id"])
    if why.get("order") == "rotation":
        yield said("why.rotation", agent=why["agent"]["agent_id"])
    for each in why.get("kept_back", ()):
        yield said("why.kept_back", agent=each["agent_id"], queue=each["queue"], tiers=each["tiers"])


def _passed_over(why: Why) -> Iterable[Said]:
    for each in why["passed_over"]:
        key = each["why"] if each["why"] in PASSED_OVER else "else"
        yield said(f"why.passed_over.{key}", agent=each["agent_id"], why=each["why"])


PASSED_OVER: Final = ("missed", "declined", "unrung", "connecting", "transferred", "never")

# In the order they are said: the reasons a sentence reads, and the sentence.
_READERS: Final[tuple[tuple[frozenset[str], Callable[[Why], Iterable[Said]]], ...]] = (
    (frozenset({"rank"}), _raised),
    (frozenset({"rule", "is_front", "head_start_ms", "candidates"}), _rule),
    (frozenset({"waited_ms", "lanes"}), _place),
    (frozenset({"queues"}), _widening),
    (frozenset({"surge"}), _surge),
    (frozenset({"candidates", "rule", "key"}), _next),
    (frozenset({"agent", "named"}), _agent),
    (frozenset({"asked"}), _asked),
    (frozenset({"seat", "order", "kept_back"}), _seat),
    (frozenset({"passed_over"}), _passed_over),
)
_SILENT: Final = frozenset({"version", "turn", "seen", "now_ms", "key"})
_KNOWN: Final = _SILENT.union(*(names for names, _ in _READERS))


def reasons(why: Why) -> tuple[Said, ...]:
    """The stored reasons of one offer, the weightiest first. A reason nobody has words for is told as it stands."""
    if "rule" not in why or "agent" not in why:
        return (said("why.unknown"),)
    found: list[Said] = []
    for names, read in _READERS:
        if names & why.keys():
            try:
                found += read(why)
            except (KeyError, TypeError, ValueError, AttributeError):
                continue
    found += [said("why.also", name=name, value=why[name]) for name in sorted(why.keys() - _KNOWN)]
    return tuple(found) or (said("why.unknown"),)


def _first_tier(why: Why) -> str:
    candidates = why["candidates"]
    return queue_and_tier(candidates[0]["lane"])[1] if candidates else ""


def queue_and_tier(lane_id: str) -> tuple[str, str]:
    """What a lane's id begins with."""
    queue, tier, *_ = lane_id.split("|")
    return queue, tier


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One offer: to whom, why, and how it ended (none: it has not)."""

    offer_id: str
    at_ms: int
    agent_id: str
    ended_as: str
    site_version: str
    reasons: tuple[Said, ...]
    candidates: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Passer:
    """Another call that an agent was given while this one waited. `reason` is one of BEFORE."""

    call_id: str
    at_ms: int
    agent_id: str
    queue: str
    tier: str
    reason: str
    ahead_for: int  # by how much its key was the smaller; negative: it was the larger
    came_for: int  # how much later it had come; negative: earlier


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """`waited` says why it took so long, `course` what became of it, `missing` what the journal does not hold."""

    call_id: str
    site_version: str
    waited: tuple[Said, ...]
    before: tuple[Passer, ...]
    decisions: tuple[Decision, ...]
    course: tuple[Said, ...]
    missing: tuple[Said, ...]


# Why somebody else was given an agent while this call waited.
BEFORE: Final = ("safety", "raised", "named", "ceiling", "front", "head_start", "earlier", "not_his")
_EXEMPT: Final = ("named",)  # keys of `why` whose calls go before every key

_ENDS: Final[Mapping[str, str]] = {
    LineType.OFFER_ACCEPTED: "accepted",
    LineType.OFFER_DECLINED: "declined",
    LineType.OFFER_EXPIRED: "expired",
    LineType.OFFER_UNRUNG: "unrung",
    LineType.OFFER_WITHDRAWN: "withdrawn",
}
_WAITS: Final = frozenset(
    {LineType.CALL_QUEUED, LineType.CALL_REQUEUED, LineType.CALL_TRANSFERRED}
    | {LineType.CALLBACK_WOKEN, LineType.CALLBACK_REACHED}
)
_STOPS: Final = frozenset(
    {LineType.CALL_OFFERED, LineType.CALL_CONNECTING, LineType.CALL_CONNECTED}
    | {LineType.CALL_DIVERTED, LineType.CALL_ENDED, LineType.CALLBACK_ASKED, LineType.CALLBACK_RESTED}
    | {LineType.CALLBACK_CALLED, LineType.CALL_LED}
)
_TALK_ENDS: Final = frozenset({LineType.CALL_TRANSFERRED, LineType.CALL_HANDED_OVER})


@dataclass(frozen=True, slots=True)
class Place:
    """Where the call stood from an instant on."""

    from_ms: int
    lane: Lane
    queued_ms: int


@dataclass(slots=True)
class Wait:
    """The call's places and the spans in which it stood in line."""

    places: list[Place] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)
    ended_ms: int = 0
    rang_ms: int = 0  # at agents who did not take it
    talked_ms: int = 0  # with those who put it through

    @property
    def queued_ms(self) -> int:
        return self.places[0].queued_ms

    def is_in_line(self, at_ms: int) -> bool:
        return any(start <= at_ms <= end for start, end in self.spans)

    def place_at(self, at_ms: int) -> Place:
        return next((each for each in reversed(self.places) if each.from_ms <= at_ms), self.places[0])


def explain(
    call_id: str,
    lines: Sequence[Line],
    others: Sequence[Line] = (),
    *,
    plan: Plan | None,
    now_ms: int,
) -> Explanation:
    """What these lines tell of the call.

    `lines` are its own; `others` those of the calls that were offered while it waited, and of agents that tell their
    skills; both in the order they were written. `plan` is that of the version it was decided by; without it, nothing
    is said of limits and widening. `now_ms` is when the waiting ends of a call that still waits.
    """
    wait = _wait_of(lines, now_ms)
    before = _passers(call_id, wait, others, plan) if wait.places else ()
    decisions = tuple(_decisions(lines))
    version = next((each.site_version for each in reversed(decisions) if each.site_version), "")
    return Explanation(
        call_id=call_id,
        site_version=version or next((str(line.data.get("site_version") or "") for line in lines), ""),
        waited=tuple(_waited(lines, wait, before, plan)),
        before=before,
        decisions=decisions,
        course=tuple(_course(lines, wait, plan)),
        missing=tuple(_missing(lines, decisions, plan)),
    )


def lane_told(line: Line) -> Lane | None:
    """The lane a line names: its rules, else as far as its id tells them."""
    rules = line.data.get("rules")
    if isinstance(rules, Mapping):
        try:
            return Lane.from_json(json.dumps(rules))
        except (KeyError, TypeError):
            return None
    parts = str(line.data.get("lane") or "").split("|")
    if len(parts) < 5 or not parts[3].isdecimal():
        return None
    queue, tier, needs, head_start, safety = parts[:5]
    needed = tuple(filter(None, needs.split("+")))
    return Lane(queue, tier, needed, int(head_start), safety == "1", "raised" in parts[5:])


def _wait_of(lines: Sequence[Line], now_ms: int) -> Wait:
    wait, since = Wait(), None
    for line in lines:
        lane = lane_told(line) if not line.data.get("closed") else None
        if lane is not None:
            queued_ms = int(line.data.get("queued_ms") or line.at_ms)
            wait.places.append(Place(line.at_ms, lane, queued_ms))
        if line.type in _WAITS and since is None and wait.places:
            since = line.at_ms
        elif line.type in _STOPS and since is not None:
            wait.spans.append((since, line.at_ms))
            since = None
    if since is not None:
        wait.spans.append((since, now_ms))
    wait.ended_ms = wait.spans[-1][1] if wait.spans else 0
    # Whoever accepted it took it, also when connecting failed then.
    wait.rang_ms = _between(lines, LineType.CALL_OFFERED, {LineType.CALL_REQUEUED}, LineType.OFFER_ACCEPTED)
    # What was said after it had left the line for good is no part of the time until then.
    earlier = [line for line in lines if line.at_ms <= wait.ended_ms]
    wait.talked_ms = _between(earlier, LineType.CALL_CONNECTED, _TALK_ENDS)
    return wait


def _between(lines: Iterable[Line], begin: str, ends: Collection[str], unless: str = "") -> int:
    """How long the call was between a line of this type and the next that ends it, together.

    A span in which a line of the type `unless` comes is not counted.
    """
    whole, since = 0, None
    for line in lines:
        if line.type == begin:
            since = line.at_ms
        elif line.type == unless:
            since = None
        elif line.type in ends and since is not None:
            whole, since = whole + line.at_ms - since, None
    return whole


def _decisions(lines: Iterable[Line]) -> Iterable[Decision]:
    told = list(lines)
    ends = {line.offer_id: _ENDS[line.type] for line in told if line.type in _ENDS}
    for line in told:
        if line.type != LineType.CALL_OFFERED:
            continue
        why = line.data.get("why") or {}
        candidates = why.get("candidates")
        yield Decision(
            offer_id=line.offer_id,
            at_ms=line.at_ms,
            agent_id=line.agent_id,
            ended_as=ends.get(line.offer_id, ""),
            site_version=str(why.get("version") or ""),
            reasons=reasons(why),
            candidates=tuple(candidates) if isinstance(candidates, list) else (),
        )


def _passers(call_id: str, wait: Wait, others: Sequence[Line], plan: Plan | None) -> tuple[Passer, ...]:
    places: dict[str, Place] = {}
    skills: dict[str, str] = {}
    raised: set[str] = set()
    found: list[Passer] = []
    for line in others:
        if line.agent_id and "skills" in line.data:
            skills[line.agent_id] = str(line.data["skills"])
        if line.call_id == call_id:
            continue
        if lane := lane_told(line):
            places[line.call_id] = Place(line.at_ms, lane, int(line.data.get("queued_ms") or line.at_ms))
        if line.type == LineType.CALL_RAISED:
            raised.add(line.call_id)
        is_before = line.type == LineType.CALL_OFFERED and wait.is_in_line(line.at_ms)
        if is_before and line.call_id in places and len(found) < PASSERS_TOLD:
            mine = wait.place_at(line.at_ms)
            may_not = not _may(mine, skills.get(line.agent_id), line.at_ms, plan)
            found.append(_passer(line, places[line.call_id], mine, line.call_id in raised, plan))
            if may_not and found[-1].reason not in _EXEMPT:
                found[-1] = replace(found[-1], reason="not_his")
    return tuple(found)


def _may(place: Place, skills: str | None, at_ms: int, plan: Plan | None) -> bool:
    """Whether this agent could have taken the call then, as far as his skills and his seat are known."""
    if skills is None or plan is None:
        return True
    lane, tiers = place.lane, tiers_of(skills)
    if tiers and lane.tier not in tiers and not lane.is_safety:
        return False
    return any(need <= skills_of(skills) for need in widen(plan, lane, at_ms - place.queued_ms).needs)


def _passer(line: Line, theirs: Place, mine: Place, is_raised: bool, plan: Plan | None) -> Passer:
    own, other = rank_at(mine, line.at_ms, plan), rank_at(theirs, line.at_ms, plan)
    why = line.data.get("why") or {}
    return Passer(
        call_id=line.call_id,
        at_ms=line.at_ms,
        agent_id=line.agent_id,
        queue=theirs.lane.queue,
        tier=theirs.lane.tier,
        reason=_reason(own, other, theirs, mine, why, is_raised),
        ahead_for=own.key - other.key,
        came_for=theirs.queued_ms - mine.queued_ms,
    )


def _reason(own: Rank, other: Rank, theirs: Place, mine: Place, why: Why, is_raised: bool) -> str:
    for name in _EXEMPT:
        if why.get(name):
            return name
    if other[:2] > own[:2]:
        return "not_his"
    if other.rank_class is Class.SAFETY and own.rank_class is not Class.SAFETY:
        return "safety"
    came_later = theirs.queued_ms > mine.queued_ms
    if is_raised and came_later:
        return "raised"
    if other.rank_class is Class.PAST_CEILING and own.rank_class is Class.ORDINARY:
        return "ceiling"
    if not came_later:
        return "earlier"
    return "front" if why.get("is_front") else "head_start"


def rank_at(place: Place, now_ms: int, plan: Plan | None) -> Rank:
    """What was compared then, ties aside; without a plan nobody stands in front or past a ceiling."""
    lane = place.lane
    head_start_ms, ceiling_ms = lane.head_start_ms, None
    if plan is not None:
        tier = plan.tiers.get(lane.tier)
        ceiling_ms = tier.ceiling_ms if tier else None
        is_front = widen(plan, lane, now_ms - place.queued_ms).is_front
        cap_ms = plan.head_start_cap_ms
        head_start_ms = cap_ms if is_front else min(head_start_ms, cap_ms)
    return rank(
        queued_ms=place.queued_ms,
        arrival="",
        head_start_ms=head_start_ms,
        is_safety=lane.is_safety,
        ceiling_ms=ceiling_ms,
        now_ms=now_ms,
    )


def _waited(lines: Sequence[Line], wait: Wait, before: Sequence[Passer], plan: Plan | None) -> Iterable[Said]:
    if not wait.places:
        yield said(_why_no_wait(lines))
        return
    place, end_ms = wait.places[-1], wait.ended_ms
    waited_ms = max(0, end_ms - wait.queued_ms - wait.talked_ms)
    yield said(
        "explain.waited",
        waited_for=waited_ms,
        queue=place.lane.queue,
        tier=place.lane.tier,
        queued_at=wait.queued_ms,
    )
    yield from _key(place, end_ms, plan)
    if wait.rang_ms:
        yield said("explain.rang", rang_for=wait.rang_ms)
    if wait.talked_ms:
        yield said("explain.put_through", talked_for=wait.talked_ms)
    yield from _who_went_before(before)
    if not before and waited_ms > AT_ONCE_MS:
        yield said("explain.nobody_free")
    elif not before and any(line.type == LineType.CALL_OFFERED for line in lines):
        yield said("explain.at_once")


def _key(place: Place, at_ms: int, plan: Plan | None) -> Iterable[Said]:
    own = rank_at(place, at_ms, plan)
    if own.rank_class is Class.SAFETY:
        yield said("explain.safety")
    elif own.rank_class is Class.PAST_CEILING and plan is not None:
        yield said("explain.ceiling", ceiling_for=plan.tiers[place.lane.tier].ceiling_ms)
    elif place.queued_ms - own.key:
        start_ms = place.queued_ms - own.key
        yield said("explain.key", head_start_for=start_ms, key_at=own.key, queued_at=place.queued_ms)
    else:
        yield said("explain.no_head_start")


def _who_went_before(before: Sequence[Passer]) -> Iterable[Said]:
    for reason in BEFORE:
        if n := sum(each.reason == reason for each in before):
            yield said(f"explain.before.{reason}", n=n)
    if any(each.reason != "not_his" for each in before):
        yield said("explain.each_free_agent")


def _why_no_wait(lines: Sequence[Line]) -> str:
    types = {line.type for line in lines}
    if LineType.CALL_TURNED_AWAY in types:
        return "explain.full"
    if LineType.CALL_QUEUED in types:
        return "explain.closed"
    return "explain.never_queued"


# Lines told by a sentence of their own, `explain.line.<name>`, with these of their data.
_TOLD: Final[Mapping[str, tuple[str, ...]]] = {
    "call.queued": ("queue", "tier", "matter"),
    "call.place_kept": ("queue", "of"),
    "call.diverted": ("to",),
    "call.returned": (),
    "call.led": ("queue",),
    "call.turned_away": ("queue", "waiting"),
    "call.message_left": (),
    "call.transferred": ("queue",),
    "call.consulted": ("asked_by",),
    "call.handed_over": ("from",),
    "call.moved": ("from_queue", "queue", "reason"),
    "call.raised": ("from_tier", "tier", "reason"),
    "call.connected": (),
    "callback.asked": ("queue",),
    "callback.begun": (),
    "callback.rested": ("why",),
    "callback.woken": (),
    "callback.called": (),
    "callback.reached": (),
    "callback.dialled": (),
    "callback.missed": ("why",),
    "call.ended": ("by", "outcome"),
    "offer.declined": (),
    "offer.expired": (),
    "offer.unrung": (),
    "offer.withdrawn": ("why",),
    "offer.accepted": (),
    "call.offered": (),
    "call.requeued": ("why",),
}
# Told otherwise where the customer was called before an agent was held.
_OF_AGENT: Final = frozenset({LineType.CALLBACK_DIALLED, LineType.CALLBACK_MISSED})
LINES_TOLD: Final = tuple(sorted(_TOLD))
# Data that are told by another name than the journal has for them.
_SAID_AS: Final[Mapping[str, str]] = {"asked_by": "from_agent", "from": "from_agent"}


def _course(lines: Sequence[Line], wait: Wait, plan: Plan | None) -> Iterable[Said]:
    told = [each for line in lines for each in _line(line)]
    told += _widened(wait, plan)
    return sorted(told, key=lambda each: each.at_ms or 0)


def _line(line: Line) -> Iterable[Said]:
    if line.type not in _TOLD:
        return
    values = {_SAID_AS.get(name, name): line.data.get(name, "") for name in _TOLD[line.type]}
    if line.agent_id:
        values["agent"] = line.agent_id
    name = line.type.replace(".", "_")
    if line.type == LineType.CALL_QUEUED and line.data.get("closed"):
        name = "call_closed"
    elif line.type in _OF_AGENT and not line.agent_id:
        name += "_first"
    yield said(f"explain.line.{name}", line.at_ms, **values)


def _widened(wait: Wait, plan: Plan | None) -> Iterable[Said]:
    """The steps of the queue's table whose hour came while it waited."""
    if plan is None or not wait.places:
        return
    place = wait.places[-1]
    queue = plan.queues.get(place.lane.queue)
    for step in queue.overflow if queue else ():
        at_ms = place.queued_ms + step.after_ms
        if at_ms <= wait.ended_ms:
            if step.to_queue:
                key = "explain.widened_front" if step.front else "explain.widened"
                yield said(key, at_ms, after_for=step.after_ms, to_queue=step.to_queue)
            elif step.goto:
                yield said("explain.widened_goto", at_ms, after_for=step.after_ms)
            elif step.ring:
                yield said("explain.widened_ring", at_ms, after_for=step.after_ms, skill=step.ring)
            else:
                yield said("explain.widened_offer", at_ms, after_for=step.after_ms)


def _missing(lines: Sequence[Line], decisions: Collection[Decision], plan: Plan | None) -> Iterable[Said]:
    types = {line.type for line in lines}
    if not types & {LineType.CALL_ARRIVED, LineType.CALL_ANONYMISED}:
        yield said("explain.missing.arrival")
    held = [line for line in lines if line.type in _ENDS or line.type == LineType.CALL_CONNECTED]
    # A colleague who is asked was chosen by the agent: there is no decision to tell.
    asked = {line.offer_id for line in lines if line.type == LineType.CALL_CONSULTED}
    known = asked.union(each.offer_id for each in decisions)
    if any(line.offer_id not in known for line in held):
        yield said("explain.missing.offer")
    if any(each.reasons == (said("why.unknown"),) for each in decisions):
        yield said("explain.missing.reasons")
    if plan is None:
        yield said("explain.missing.words")
