"""What the page of one call shows, in one reader's words: header, course, players, reasons, journal."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from queues.domain.explanation import Explanation
from queues.domain.journal import Line
from queues.domain.timeline import Span, SpanKind, read_timeline
from queues.service.calls import CallRow, CallStory, TalkRow
from queues.web.call_view import call_row
from queues.web.times import face, full_date, time_of_day
from queues.web.why import explanation_view
from queues.web.words import Words
from recordings.domain.recordings import Recording, RecordingState, Why

BAR_WIDTH: Final = 1000
SPAN_WIDTH_MIN: Final = 8
_MARKS: Final[Mapping[str, str]] = {
    RecordingState.IN_PROGRESS: "near",
    RecordingState.COMPLETED: "near",
    RecordingState.ABSENT: "past",
    RecordingState.MISSING: "past",
}

View = dict[str, Any]


def call_page(
    story: CallStory,
    told: Explanation,
    heard: Sequence[Recording],
    names: Mapping[str, str],
    words: Words,
    *,
    may_hear: bool,
) -> View:
    call = story.call
    row = call_row(call, words)
    row |= {
        "headline": _headline(call, words),
        "arrived_long": full_date(call.arrived_ms, words.plan.timezone, words.locale),
        "note": call.note or "",
    }
    return {
        "call": row,
        "spans": _spans(read_timeline(story.lines), names, words),
        "recordings": [_recording(each, words, may_hear=may_hear) for each in heard],
        "no_recording": words.t(f"call.no_recording.{_why_none(call)}"),
        "explained": _explained(story, told, names, words),
        "journal": [_journal_line(line, names, words) for line in story.lines],
        "talks": [_talk(talk, names, words) for talk in story.talks] if len(story.talks) > 1 else [],
        "facts": _facts(call, words),
    }


def _talk(talk: TalkRow, names: Mapping[str, str], words: Words) -> View:
    """One of several: who, in which queue, after which wait, for how long."""
    told = {
        "wait": face(talk.wait_ms) if talk.wait_ms is not None else "–",
        "talk": face(talk.talk_ms) if talk.talk_ms is not None else "…",
    }
    detail = (words.t("call.talk_detail", **told), words.disposition(talk.disposition))
    return {
        "who": names.get(talk.agent_id, talk.agent_id),
        "queue": words.queue(talk.queue),
        "detail": " · ".join(part for part in detail if part),
    }


def _headline(call: CallRow, words: Words) -> str:
    """The answer in one line: where, how long, by whom."""
    queue = words.queue(call.queue or "")
    if call.answered_ms is not None:
        values = {
            "wait": face(call.wait_ms),
            "talk": face(call.talk_ms),
            "agent": call.agent_name or call.agent_id,
        }
        return words.t("call.headline_answered", queue=queue, **values)
    if queue:
        return words.t("call.headline_waited", queue=queue, wait=face(call.wait_ms))
    return words.t("call.headline_plain", line=words.line(call.line or ""))


def _spans(spans: Sequence[Span], names: Mapping[str, str], words: Words) -> list[View]:
    """Widths are shares of the whole, but never so small that a span cannot be seen."""
    row = [0 if span.is_beside else span.for_ms for span in spans]
    whole = sum(row) or 1
    wished = [
        0.0 if span.is_beside else max(SPAN_WIDTH_MIN, for_ms / whole * BAR_WIDTH)
        for span, for_ms in zip(spans, row, strict=True)
    ]
    scale = BAR_WIDTH / sum(wished) if any(wished) else 1
    shown: list[View] = []
    x = 0.0
    for span, wish in zip(spans, wished, strict=True):
        width = wish * scale
        shown.append(
            {
                "kind": str(span.kind),
                "is_beside": span.is_beside,
                "ended_as": span.ended_as,
                "x": round(x, 1),
                "width": round(width, 1),
                "word": words.t(
                    f"call.span.{span.kind}", agent=names.get(span.agent_id, span.agent_id)
                ).strip(),
                "ended_word": _ended_word(span, words),
                "length": face(span.for_ms) if span.end_ms is not None else "…",
                "at": time_of_day(span.start_ms, words.plan.timezone),
            }
        )
        x += width
    return shown


def _ended_word(span: Span, words: Words) -> str:
    return (
        words.t(f"call.ended_as.{span.ended_as}") if span.kind is SpanKind.OFFERED and span.ended_as else ""
    )


def _recording(recording: Recording, words: Words, *, may_hear: bool) -> View:
    length = face(recording.duration_s * 1000) if recording.duration_s is not None else ""
    detail = (
        words.t("call.detail", channels=recording.channels, length=length)
        if recording.channels and length
        else length
    )
    can_play = recording.has_audio and may_hear
    is_refused = recording.missing_why == Why.REFUSED.value
    return {
        "kind_word": words.t(f"call.kind.{recording.kind}"),
        "detail": detail,
        "audio_href": f"/recordings/{recording.recording_id}/audio" if can_play else "",
        "mark": "off" if is_refused else _MARKS.get(recording.state, "off"),
        "state_word": words.t("call.state.refused" if is_refused else f"call.state.{recording.state}"),
        "why": _why_silent(recording, words),
    }


def _why_silent(recording: Recording, words: Words) -> str:
    if recording.has_audio:
        return words.t("call.missing.not_yours")
    key = recording.missing_why or (
        recording.state
        if recording.state in (RecordingState.IN_PROGRESS, RecordingState.COMPLETED)
        else "unknown"
    )
    return words.t(f"call.missing.{key}")


def _why_none(call: CallRow) -> str:
    if call.answered_ms is None:
        return "unanswered"
    return "refused" if call.record == "refused" else "answered"


def _explained(story: CallStory, told: Explanation, names: Mapping[str, str], words: Words) -> View:
    """Why it waited and why these agents; each decision opens to what was compared."""
    shown = explanation_view(told, words, names)
    ends = {span.offer_id: span for span in read_timeline(story.lines) if span.kind is SpanKind.OFFERED}
    for decision in shown["decisions"]:
        span = ends.get(decision["offer_id"])
        about = {"at": decision["at"], "agent": decision["agent"]}
        ended = _ended_word(span, words) if span else ""
        decision["title"] = (
            words.t("call.why_ended", **about, ended_as=ended)
            if ended
            else words.t("call.why_title", **about)
        )
    return shown


def _journal_line(line: Line, names: Mapping[str, str], words: Words) -> View:
    return {
        "at": time_of_day(line.at_ms, words.plan.timezone),
        "word": words.t(f"call.journal_word.{line.type.replace('.', '_')}"),
        "detail": " · ".join(_details(line, names, words)),
    }


def _details(line: Line, names: Mapping[str, str], words: Words) -> list[str]:
    """What the line adds to its word; ids are left to the operators."""
    data = line.data
    told = [names.get(line.agent_id, line.agent_id)] if line.agent_id else []
    readers: dict[str, Callable[[str], str]] = {
        "line": words.line,
        "tier": words.tier,
        "queue": words.queue,
        "matter": words.matter,
        "outcome": words.outcome,
        "disposition": words.disposition,
        "by": lambda by: words.t(f"call.by.{by}"),
        "ticket_no": str,
        "node": str,
    }
    told += [read(str(data[name])) for name, read in readers.items() if data.get(name)]
    if isinstance(data.get("wait_ms"), int):
        told.append(face(data["wait_ms"]))
    return told


def _facts(call: CallRow, words: Words) -> list[dict[str, str]]:
    zone = words.plan.timezone
    instants = {
        "arrived": call.arrived_ms,
        "queued": call.queued_ms,
        "answered": call.answered_ms,
        "ended": call.ended_ms,
    }
    facts = {
        "line": words.line(call.line or ""),
        "queue": words.queue(call.queue or ""),
        "matter": words.matter(call.matter or ""),
        "tier": words.tier(call.tier or ""),
        "agent": call.agent_name or call.agent_id or "",
        **{name: time_of_day(at_ms, zone) for name, at_ms in instants.items() if at_ms is not None},
        "waited": face(call.wait_ms) if call.wait_ms is not None else "",
        "talked": face(call.talk_ms) if call.talk_ms is not None else "",
        "offers": str(call.offers) if call.offers else "",
        "ended_by": words.t(f"call.by.{call.ended_by}") if call.ended_by else "",
        "disposition": words.disposition(call.disposition or ""),
        "record": words.t(f"call.record_word.{call.record}") if call.record in ("wanted", "refused") else "",
        "locale": call.locale or "",
        "site_version": call.site_version or "",
        "call_id": call.call_id,
    }
    return [{"label": words.t(f"call.fact.{name}"), "text": text} for name, text in facts.items() if text]
