"""The rules of places kept for callers who lost their line while they waited.

Whoever was in a queue, was not answered and rings again has the place he had, when he comes to the same queue
again in time: to the one he entered first, even if he was moved or put through to another from there. A place is kept
under the caller's reference, so for nobody who withholds his number or stays anonymous; it is taken once. It lapses
by its own instant, which a deadline then clears away.
"""

from typing import Final, NamedTuple

from queues.domain import commands as c
from queues.domain.calls import Call
from queues.domain.journal import LineType
from queues.domain.moves import Draft, Reply

NAMELESS: Final = frozenset({"", "withheld"})


class Place(NamedTuple):
    """Until when it is kept, since when he waits, in which call, for which queue. Stored one a line."""

    until_ms: int
    queued_ms: int
    call_id: str
    queue: str


def parse_places(text: str) -> tuple[Place, ...]:
    parts = (line.split(" ", 3) for line in text.splitlines())
    return tuple(Place(int(until), int(queued), call_id, queue) for until, queued, call_id, queue in parts)


def write_places(places: tuple[Place, ...]) -> str:
    return "\n".join(f"{each.until_ms} {each.queued_ms} {each.call_id} {each.queue}" for each in places)


def has_name(call: Call) -> bool:
    """Whether anything may be kept under his reference."""
    return not call.is_anonymous and call.caller_ref not in NAMELESS


def keep_place(draft: Draft, call: Call, kept_ms: int) -> None:
    """For the caller of a call that ends while it waits."""
    if kept_ms <= 0 or call.queued_ms is None or not has_name(call):
        return
    queue = call.first_queue or call.queue
    own = Place(draft.now_ms + kept_ms, call.queued_ms, call.call_id, queue)
    others = tuple(each for each in _valid(draft, call.caller_ref) if each.queue != queue)
    _store(draft, call.caller_ref, (*others, own))


def take_place(draft: Draft, call: Call, queue: str) -> Place | None:
    """The one kept for him in this queue, which is then kept no more."""
    if not has_name(call):
        return None
    places = _valid(draft, call.caller_ref)
    found = next((each for each in places if each.queue == queue), None)
    if found is not None:
        _store(draft, call.caller_ref, tuple(each for each in places if each is not found))
    return found


def tell_place(draft: Draft, call: Call, place: Place) -> Call:
    """The line ties two calls of one caller together, so it goes when he becomes anonymous."""
    line_id = draft.line(
        LineType.CALL_PLACE_KEPT,
        call_id=call.call_id,
        queue=place.queue,
        queued_ms=place.queued_ms,
        of=place.call_id,
    )
    return draft.change_call(call, named_in=f"{call.named_in} {line_id}")


def _valid(draft: Draft, caller_ref: str) -> tuple[Place, ...]:
    places = parse_places(draft.state.places.get(caller_ref, ""))
    return tuple(each for each in places if each.until_ms > draft.now_ms)


def _store(draft: Draft, caller_ref: str, places: tuple[Place, ...]) -> None:
    if not places:
        erase_places(draft, caller_ref)
        return
    draft.state.places[caller_ref] = write_places(places)
    draft.state.deadlines[f"place:{caller_ref}"] = max(each.until_ms for each in places)


def erase_places(draft: Draft, caller_ref: str) -> None:
    draft.state.places.pop(caller_ref, None)
    draft.state.deadlines.pop(f"place:{caller_ref}", None)


def drop_place(draft: Draft, command: c.DropPlace) -> Reply:
    """Its time is up."""
    if command.caller_ref not in draft.state.places:
        return ("gone",)
    if draft.is_early(f"place:{command.caller_ref}"):
        return ("early",)
    erase_places(draft, command.caller_ref)
    return ("ok",)
