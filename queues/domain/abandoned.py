"""Who gave up while he waited: the part of queues.yaml that says who is listed, and what a call means for the list.

One entry for a caller and a queue, however often he gave up. What must hold: everything is read from the calls as their
records stand, never from one line alone, so lines that come twice, late or swapped come to the same; and nobody is
listed who cannot be called, has left a message, or asked to be called back.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from pydantic import Field

from queues.domain import clocks
from queues.domain.call_records import CallRecord
from queues.domain.calls import JOINED, Outcome
from queues.domain.clocks import NeverOpenError, Span
from queues.domain.journal import LineType
from queues.domain.named import WITHHELD
from queues.domain.parts import Duration, Part

if TYPE_CHECKING:
    from queues.domain.plan import Plan
    from queues.domain.plan_checks import Names

MARK: Final = "back-"  # before the id of a call that we place for an entry of the list

# What a line of these types is about may have changed the list.
TELLING: Final = frozenset(
    {
        LineType.CALL_ARRIVED,
        LineType.CALL_CONNECTED,
        LineType.CALL_ENDED,
        LineType.CALL_RECONCILED,
        LineType.CALL_MESSAGE_LEFT,
        LineType.CALL_ANONYMISED,
    }
)


class FromMenu(Part):
    """Who hangs up in the menu after so long is listed as well, for the agents of this queue."""

    after_ms: Duration = Field(alias="after", ge=1_000)
    queue: str


class Abandoned(Part):
    """Which callers who gave up are called back, by when, and how long they are listed."""

    short_ms: Duration = Field(default=5_000, alias="short")  # who waited less is not listed
    queues: tuple[str, ...] = ()  # none named: every queue
    within_ms: Duration = Field(default=1_800_000, alias="within", ge=60_000)  # open time of callback.window
    keep_ms: Duration = Field(default=86_400_000, alias="keep", ge=60_000, le=30 * 86_400_000)
    menu: FromMenu | None = None


class Ending(StrEnum):
    """How an entry ends."""

    REACHED = "reached"  # an agent called, and he answered
    CAME_AGAIN = "came_again"  # he rang again, and was answered
    MESSAGE = "message"  # he rang again, and left a message
    NOT_REACHED = "not_reached"  # as often as the site says
    WRONG_NUMBER = "wrong_number"
    UNWANTED = "unwanted"  # he does not want to be called
    LAPSED = "lapsed"  # nobody called in time
    NO_NUMBER = "no_number"  # his number is kept no more


# By whom it was settled that he needs no further call.
SETTLED: Final = frozenset({Ending.REACHED, Ending.CAME_AGAIN, Ending.MESSAGE})
# What an agent says of a call of his own; the rest is told by the journal.
NOTED: Final = (Ending.REACHED, Ending.NOT_REACHED, Ending.WRONG_NUMBER, Ending.UNWANTED)


class News(StrEnum):
    """What a call's record means for the list."""

    NOTHING = "nothing"
    HERE = "here"  # he is on the line, or waits for the callback he asked for
    GAVE_UP = "gave_up"
    ANSWERED = "answered"
    MESSAGE = "message"
    OVER = "over"  # he was here, and it came to nothing
    RINGING = "ringing"  # we ring him for an entry
    REACHED = "reached"
    MISSED = "missed"
    NOT_TRIED = "not_tried"


class Told(NamedTuple):
    at_ms: int
    news: News


def back_id(entry_id: str, attempt: int) -> str:
    """The id of the call by which an agent rings him back."""
    return f"{MARK}{attempt}-{entry_id}"


def entry_of(call_id: str) -> str:
    """The entry for which this call was placed; empty: a caller's own."""
    return call_id.removeprefix(MARK).partition("-")[2] if call_id.startswith(MARK) else ""


def attempt_of(call_id: str) -> int:
    """Which of the entry's calls this one is; 0: none of ours."""
    number = call_id.removeprefix(MARK).partition("-")[0] if call_id.startswith(MARK) else ""
    return int(number) if number.isdecimal() else 0


def news_of(record: CallRecord, terms: Abandoned) -> Told:
    """What this call, as its record stands, has to say; with the instant at which that happened."""
    ended_ms = record.ended_ms if record.ended_ms is not None else record.arrived_ms
    if entry_of(record.call_id):
        return _news_of_ours(record, ended_ms)
    if record.caller_ref in ("", WITHHELD) or record.is_anonymous:
        return Told(ended_ms, News.OVER if record.has_ended else News.NOTHING)
    if record.answered_ms is not None:
        return Told(record.answered_ms, News.ANSWERED)
    if not record.has_ended:
        return Told(record.arrived_ms, News.HERE)
    if record.outcome == Outcome.VOICEMAIL:
        return Told(ended_ms, News.MESSAGE)
    if record.outcome == Outcome.TRANSFERRED:
        return Told(ended_ms, News.ANSWERED)
    return Told(ended_ms, News.GAVE_UP if _is_listed(record, terms) else News.OVER)


def _news_of_ours(record: CallRecord, ended_ms: int) -> Told:
    if record.answered_ms is not None:
        return Told(record.answered_ms, News.REACHED)
    if not record.has_ended:
        return Told(record.arrived_ms, News.RINGING)
    is_missed = record.tries > 0 and record.callback != JOINED
    return Told(ended_ms, News.MISSED if is_missed else News.NOT_TRIED)


def _is_listed(record: CallRecord, terms: Abandoned) -> bool:
    queue = queue_of(record, terms)
    if not queue or (terms.queues and queue not in terms.queues):
        return False
    if record.outcome == Outcome.ABANDONED:
        return waited_ms(record) >= terms.short_ms
    return terms.menu is not None and waited_ms(record) >= terms.menu.after_ms


def queue_of(record: CallRecord, terms: Abandoned) -> str:
    """Whose agents call him; empty: nobody's."""
    if record.outcome == Outcome.ABANDONED:
        return record.queue
    is_from_menu = record.outcome == Outcome.LEFT_IN_MENU and terms.menu is not None
    return terms.menu.queue if is_from_menu and terms.menu else ""


def waited_ms(record: CallRecord) -> int:
    """In the queue; of who never came to one, in the menu."""
    if record.queued_ms is None:
        return max(0, (record.ended_ms or record.arrived_ms) - record.arrived_ms)
    return record.wait_ms or 0


def due_ms(plan: Plan, terms: Abandoned, from_ms: int) -> int:
    """By when he is to be called: time in which we call counts, and no other."""
    window = plan.callback.window
    try:
        return clocks.deadline(plan.hours[window] if window else None, from_ms, Span(ms=terms.within_ms))
    except NeverOpenError:
        return from_ms + terms.keep_ms


def check(names: Names, terms: Abandoned | None) -> None:
    """Every queue that is named exists."""
    if terms is None:
        return
    place = ("queues", "abandoned")
    for index, queue in enumerate(terms.queues):
        names.expect((*place, "queues", index), "queue", queue)
    if terms.menu is not None:
        names.expect((*place, "menu", "queue"), "queue", terms.menu.queue)
        if terms.queues and terms.menu.queue not in terms.queues:
            fault = f"'{terms.menu.queue}' is not among the queues of this list"
            names.book.add((*place, "menu", "queue"), fault)
    if terms.keep_ms < terms.within_ms:
        names.book.add((*place, "keep"), "'keep' must not be below 'within', or nobody is called in time")
