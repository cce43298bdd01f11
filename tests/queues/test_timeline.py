"""The course of a call, read from its lines."""

from dataclasses import replace
from typing import Any

from queues.domain.journal import Line
from queues.domain.timeline import read_timeline

STORY = """
     0  call.arrived
  5000  call.menu_stepped
 14000  call.queued
 20000  call.offered              li    CA1-1
 20500  offer.ringing             li    CA1-1
 24000  offer.declined            li    CA1-1
 24000  call.requeued             li    CA1-1
 24000  call.offered              wang  CA1-2
 27000  offer.accepted            wang  CA1-2
 27000  call.connecting           wang  CA1-2
 28000  call.connected            wang  CA1-2
 88000  call.ended                wang
 88000  agent.wrap_up_started     wang
 98000  agent.wrap_up_closed      wang
"""


def lines(story: str, **data: Any) -> list[Line]:
    told = []
    for text in story.strip().splitlines():
        at, type_, *ids = text.split()
        agent_id, offer_id = [*ids, "", ""][:2]
        own = data if type_ == "call.queued" else {}
        told.append(
            Line(
                id=f"{at}-0",
                type=type_,
                at_ms=int(at),
                call_id="CA1",
                agent_id=agent_id,
                offer_id=offer_id,
                data=own,
            )
        )
    return told


def test_spans_follow_each_other_and_a_refused_offer_says_so() -> None:
    spans = [(str(s.kind), s.start_ms, s.end_ms, s.agent_id, s.ended_as) for s in read_timeline(lines(STORY))]
    assert spans == [
        ("menu", 0, 14000, "", ""),
        ("queued", 14000, 20000, "", ""),
        ("offered", 20000, 24000, "li", "declined"),
        ("offered", 24000, 27000, "wang", "accepted"),
        ("connecting", 27000, 28000, "wang", ""),
        ("talking", 28000, 88000, "wang", ""),
        ("wrap_up", 88000, 98000, "wang", ""),
    ]


def test_a_call_that_goes_on_has_an_open_end() -> None:
    spans = read_timeline(lines("\n".join(STORY.strip().splitlines()[:11])))
    assert (spans[-1].kind, spans[-1].end_ms, spans[-1].for_ms) == ("talking", None, 0)


def test_a_closed_queue_is_no_waiting() -> None:
    spans = read_timeline(
        lines("0 call.arrived\n3000 call.queued\n9000 call.message_left\n9500 call.ended", closed=1)
    )
    assert [(str(span.kind), span.for_ms) for span in spans] == [("menu", 3000), ("messaging", 6500)]


def test_nothing_told_is_no_course() -> None:
    assert read_timeline([]) == ()


def test_who_comes_back_from_elsewhere_is_in_the_menu_again() -> None:
    course = spans("""
             0  call.arrived
          4000  call.diverted
         34000  call.returned
         40000  call.ended
    """)
    assert course == [("menu", 0, 4000), ("messaging", 4000, 34000), ("menu", 34000, 40000)]


def test_of_an_anonymous_call_the_line_in_the_arrivals_place_says_when_it_began() -> None:
    told = lines("""
          3000  call.menu_stepped
          9000  call.anonymised
         40000  call.ended
    """)
    told[1] = replace(told[1], data={"arrived_ms": 1000})
    assert [(span.kind, span.start_ms, span.end_ms) for span in read_timeline(told)] == [
        ("menu", 1000, 40000)
    ]


def spans(story: str) -> list[tuple[str, int, int | None]]:
    return [(span.kind, span.start_ms, span.end_ms) for span in read_timeline(lines(story))]
