"""How a kept report is shown: its document as it was, each corrected figure with what it is now beside it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from config.web.sheets import Cell
from queues.domain.metrics import AGENT_COUNTS as METRIC_COUNTS
from queues.domain.metrics import AGENT_SECONDS, CALL_SECONDS, CALL_SUMS, Kind, Unit
from queues.domain.plan import in_locale
from queues.domain.report_document import (
    AGENT,
    ALL,
    DEPARTMENT,
    IN_TIME,
    LEVEL,
    MONTH,
    QUEUE,
    RANKED,
    SUM,
    TIER,
    figures_of_set,
    is_met,
    key_of,
    month_figure,
)
from queues.domain.surges import read_running
from queues.service.reports import Entry, EntryKind, Found, Row
from queues.service.urgent_reports import read_update
from queues.web.figures_page import COLUMNS
from queues.web.figures_values import value_text
from queues.web.surge_view import surge_words
from queues.web.times import date_of, face, full_date, when
from queues.web.words import Words

View = dict[str, Any]
COUNTS: Final = tuple(f"{SUM}{CALL_SUMS[name]}" for name in ("N", "O", "A", "B"))
AGENT_COUNTS: Final = ("offers", "accepted", "declined", "expired", "talks", "transfers")
AGENT_LENGTHS: Final = ("connected", "wrap_up", "ready", "away")
AGENT_SHARES: Final = ("occupancy", "acceptance")
CHANGES_SHOWN: Final = 60
CSV_COLUMNS: Final = (
    *("report", "first", "last", "by", "of", "figure", "value", "corrected", "unit", "target"),
    *("formula", "version"),
)
_BLANK: Final = ("", "", "", "", "")  # the rest of a row that is no figure
_COUNT: Final = str(Unit.COUNT)
# Sums by the names of the symbols that they are in formulas.
_SYMBOLS: Final = {
    column: symbol for named in (CALL_SUMS, CALL_SECONDS, AGENT_SECONDS) for symbol, column in named.items()
} | {name: name for name in (*IN_TIME, *METRIC_COUNTS)}


def title_of(row: Row, words: Words) -> str:
    return words.t(f"reports.heading.{row.kind}", when=days_of(row, words))


def days_of(row: Row, words: Words) -> str:
    """The period by its name where it has one, else its first and last day."""
    first, zh = dt.date.fromisoformat(row.first), words.locale.startswith("zh")
    if row.kind == "month":
        return f"{first.year}年{first.month}月" if zh else f"{first:%B %Y}"
    if row.kind == "quarter":
        quarter = (first.month + 2) // 3
        return f"{first.year}年第{quarter}季度" if zh else f"{quarter}Q {first.year}"
    if row.kind == "year":
        return f"{first.year}年" if zh else str(first.year)
    first_day = date_of(row.from_ms, words.plan.timezone, words.locale)
    if row.kind != "week":
        return first_day
    last_day = date_of(row.until_ms - 1, words.plan.timezone, words.locale)
    return words.t("reports.days", first=first_day, last=last_day)


def head(row: Row, entries: Mapping[str, int], now_ms: int, words: Words) -> View:
    """One line of the list."""
    zone = words.plan.timezone
    is_late = row.made_ms is not None and row.due_ms is not None and row.made_ms >= row.due_ms
    corrections = entries.get(EntryKind.CORRECTION, 0)
    return {
        "report_id": row.report_id,
        "kind": words.t(f"reports.kind.{row.kind}"),
        "title": title_of(row, words),
        "why": why_of(row, words),
        "made": when(row.made_ms, now_ms, zone, words.locale) if row.made_ms else "",
        "is_late": is_late,
        "state": words.t("reports.late" if is_late else "reports.in_time"),
        "corrections": words.t("reports.corrections", n=corrections) if corrections else "",
        "notes": entries.get(EntryKind.NOTE, 0),
        "updates": entries.get(EntryKind.UPDATE, 0),
        "is_open": row.kind == "urgent" and row.closed_ms is None,
    }


def why_of(row: Row, words: Words) -> str:
    """Of an urgent report: what was typed, or the surge that began it."""
    if row.kind == "urgent" and row.account_id is None:
        return surge_words(read_running(row.why), words)
    return row.why


class Shown:
    """One report for one reader."""

    def __init__(self, found: Found, words: Words, names: Mapping[str, str]) -> None:
        self.found, self.words, self.names = found, words, names
        self.document = found.document
        self.cards: Mapping[str, Any] = found.document["cards"]
        self.contract = str(found.document["contract"])

    @property
    def site_name(self) -> str:
        return in_locale(self.document["site_name"], self.words.locale)

    @property
    def count(self) -> int:
        whole = next(each for each in self.document["sets"] if each["by"] == ALL)
        return int(whole["sums"].get("arrived", 0))

    def tables(self) -> list[View]:
        """Queues, tiers and departments, each with the line of all where they add up to it."""
        whole = next(each for each in self.document["sets"] if each["by"] == ALL)
        found = []
        for by in (QUEUE, TIER, DEPARTMENT):
            sets = [each for each in self.document["sets"] if each["by"] == by]
            if sets:
                rows = [self._row(each) for each in sets]
                found.append(
                    {
                        "by": self.words.t(f"figures.by.{by}"),
                        "columns": [self._card_name(each) for each in COLUMNS],
                        "rows": rows if by == DEPARTMENT else [*rows, self._row(whole)],
                        "has_all": by != DEPARTMENT,
                    }
                )
        return found

    def _row(self, told: View) -> View:
        met = is_met(told, self.contract)
        return {
            "name": self.name(told),
            "counts": [self._cell(told, column, _COUNT) for column in COUNTS],
            "level": self._cell(told, self.contract),
            "target": self.target(told),
            "met": "" if met is None else "good" if met else "past",
            "met_word": "" if met is None else self.words.t("reports.met" if met else "reports.not_met"),
            "cells": [self._cell(told, each) for each in COLUMNS],
        }

    def agents(self) -> list[View]:
        return [
            {
                "name": self.name(told),
                "counts": [self._cell(told, f"{SUM}{name}", _COUNT) for name in AGENT_COUNTS],
                "lengths": [face(told["sums"].get(f"{name}_ms", 0)) for name in AGENT_LENGTHS],
                "shares": [self._cell(told, name) for name in AGENT_SHARES],
            }
            for told in self.document["sets"]
            if told["by"] == AGENT
        ]

    def groups(self) -> list[View]:
        """Every card of all, by what it is about."""
        whole = next(each for each in self.document["sets"] if each["by"] == ALL)
        return [
            {
                "word": self.words.t(f"figures.kind.{kind}"),
                "cards": [
                    {
                        "name": self._card_name(name),
                        "is_contract": name == self.contract,
                        "formula": card["formula"],
                        "version": card["version"],
                        **self._cell(whole, name),
                    }
                    for name, card in self.cards.items()
                    if card["kind"] == str(kind)
                ],
            }
            for kind in Kind
        ]

    def name(self, told: View) -> str:
        if told["by"] == ALL:
            return self.words.t("figures.all")
        return in_locale(told["name"], self.words.locale) or told["id"] or self.words.t("figures.none")

    def target(self, told: View) -> str:
        target = told.get("target")
        if not target:
            return ""
        within_s = target.get("within_s")
        return f"{target['share']}% / {within_s} s" if within_s is not None else f"{target['share']}%"

    def _cell(self, told: View, figure: str, unit: str = "") -> View:
        """What it was, and what it is now where that is something else."""
        key = key_of(told), figure
        if not unit and figure not in self.cards:
            return {"text": "–", "now": ""}  # this report is older than the card
        unit = unit or self.cards[figure]["unit"]
        was = figures_of_set(told).get(figure)
        return self._corrected(key, was, lambda value: self._shown(value, unit))

    def _corrected(
        self, key: tuple[str, str], was: float | None, shown: Callable[[float | None], str]
    ) -> View:
        now = self.found.now.get(key, was if key not in self.found.kept else None)
        return {"text": shown(was), "now": shown(now) if now != was else ""}

    def _shown(self, value: float | int | None, unit: str) -> str:
        return value_text(0 if value is None and unit == _COUNT else value, Unit(unit))

    def _sum_name(self, name: str) -> str:
        name = name.removeprefix(SUM)
        symbol = _SYMBOLS.get(name)
        return self.words.t(f"figures.symbol.{symbol}" if symbol else f"reports.sum.{name}")

    def _card_name(self, name: str) -> str:
        return self.words.t(f"figures.card.{name}.name")

    def entries(self, kind: EntryKind) -> list[View]:
        return [self._entry(n, each) for n, each in enumerate(self._of(kind), 1)]

    def _of(self, kind: EntryKind) -> list[Entry]:
        return [each for each in self.found.entries if each.kind == kind]

    def _entry(self, number: int, entry: Entry) -> View:
        zone, changes = self.document["zone"], self.found.changes_of(entry)
        return {
            "number": number,
            "at": full_date(entry.at_ms, zone, self.words.locale),
            "who": self.names.get(entry.account_id or "", ""),
            "why": self.words.t(f"reports.why.{entry.why}") if entry.why else "",
            "text": entry.content if entry.kind == EntryKind.NOTE else "",
            "changes": [self._change(*each) for each in changes[:CHANGES_SHOWN]],
            "more": max(0, len(changes) - CHANGES_SHOWN),
        }

    def _change(self, of: str, figure: str, was: float | None, now: float | None) -> View:
        told = next((each for each in self.document["sets"] if key_of(each) == of), None)
        if figure.startswith(RANKED):
            return self._change_of_rank(of, figure.removeprefix(RANKED), was, now)
        month = ""
        if figure.startswith(MONTH):
            month, _, name = figure.removeprefix(MONTH).partition(":")
            figure = self.contract if name == LEVEL else f"{SUM}{name}"
        if figure in self.cards:
            word, unit = self._card_name(figure), self.cards[figure]["unit"]
        else:
            word, unit = (
                self._sum_name(figure),
                str(Unit.SECONDS if figure.endswith("_ms") else Unit.COUNT),
            )
        if figure.endswith("_ms"):
            was, now = (None if each is None else each / 1000 for each in (was, now))
        whose = of.partition(":")[2] if told is None else self.name(told)
        word = f"{month} {word}".strip()
        return {"of": whose, "figure": word, "was": self._shown(was, unit), "now": self._shown(now, unit)}

    def _change_of_rank(self, of: str, name: str, was: float | None, now: float | None) -> View:
        agent_id, t = of.partition(":")[2], self.words.t
        sets, ranked = self.document["sets"], self.document.get("ranking", {"rows": []})["rows"]
        names = {each["id"]: self.name(each) for each in sets if each["by"] == AGENT}
        names |= {each["agent_id"]: each["name"] for each in ranked}
        word = {"rank": t("reports.place"), "mean": t("reports.mean")}.get(name, name)
        shown = _place if name == "rank" else _points
        return {
            "of": names.get(agent_id, agent_id),
            "figure": f"{t('reports.ranking')}: {word}",
            "was": shown(was),
            "now": shown(now),
        }

    def tickets(self) -> list[View]:
        return [
            {
                "name": self._named("ticket_types", kind),
                **{name: numbers.get(name, 0) for name in ("opened", "done", "left", "kept", "broken")},
                "share": share(numbers["kept"], numbers["kept"] + numbers["broken"]),
                "amount": f"{numbers['amount_cents'] / 100:,.2f}" if numbers.get("amount_cents") else "–",
            }
            for kind, numbers in self.document["tickets"].items()
        ]

    def promises(self) -> list[View]:
        """Each promise that the product keeps a clock of, with its share kept."""
        whole = next(each for each in self.document["sets"] if each["by"] == ALL)["sums"]
        reached = whole.get("callbacks_kept", 0) + whole.get("callbacks_joined", 0)
        tickets = self.document["tickets"].values()
        kept = sum(each["kept"] for each in tickets)
        broken = sum(each["broken"] for each in tickets)
        owed = self.document["gave_up"]
        due = owed["opened"] - (owed["open"] - owed["open_late"])
        rows = (
            ("tickets", kept, kept + broken, sum(each["left"] for each in tickets)),
            (
                "callbacks",
                reached,
                reached + whole.get("callbacks_failed", 0),
                self.document["callbacks_open"],
            ),
            ("gave_up", owed["kept"], due, owed["open"]),
        )
        return [
            {
                "name": self.words.t(f"reports.promise.{name}"),
                "kept": kept_count,
                "due": due_count,
                "share": share(kept_count, due_count),
                "left": left,
            }
            for name, kept_count, due_count, left in rows
        ]

    def now(self) -> View | None:
        """How things stood when an urgent report was made."""
        told = self.document.get("now")
        return None if told is None else self._stand(told)

    def _stand(self, told: View) -> View:
        words, t = self.words, self.words.t
        waiting = [f"{words.queue(queue)} {count}" for queue, count in told["waiting"].items()]
        agents = [f"{words.presence(state)} {count}" for state, count in sorted(told["agents"].items())]
        comma = t("reports.comma")
        return {
            "waiting": t(
                "reports.waiting", n=sum(told["waiting"].values()), longest=face(told["longest_ms"])
            ),
            "queues": comma.join(waiting),
            "agents": comma.join(agents) or t("reports.no_agents"),
            "surges": [surge_words(read_running(each), words) for each in told["surges"]],
        }

    def thread(self) -> list[View]:
        """What was added, the newest first."""
        found = []
        for number, entry in enumerate(self._of(EntryKind.UPDATE), 1):
            told = read_update(entry.content)
            figures = told["figures"]
            level = self._shown(figures["level"], str(Unit.SHARE))
            found.append(
                {
                    **self._entry(number, entry),
                    "text": told["text"],
                    "stand": self._stand(told["now"]),
                    "figures": self.words.t("reports.so_far", level=level, **figures["sums"]),
                }
            )
        return found[::-1]

    def months(self) -> View | None:
        """The service level of each month beside the target; a table of departments, or of queues."""
        told = self.document.get("months")
        if not told:
            return None
        return {
            "columns": [each["month"] for each in told[0]["months"]],
            "rows": [
                {
                    "name": self.name(each),
                    "target": self.target(each),
                    "cells": [
                        {
                            **self._corrected(
                                (key_of(each), month_figure(month["month"], LEVEL)), month["level"], _level
                            ),
                            "count": month["offered"],
                            "met": "" if month["met"] is None else "good" if month["met"] else "past",
                            "word": ""
                            if month["met"] is None
                            else self.words.t("reports.met" if month["met"] else "reports.not_met"),
                        }
                        for month in each["months"]
                    ],
                    "result": self._result(each),
                }
                for each in told
            ],
        }

    def ranking(self) -> View | None:
        """Agents by the mean of their months; None of a report that ranks nobody."""
        told: View | None = self.document.get("ranking")
        if told is None:
            return None
        rows = [
            {
                "rank": self._ranked(each, "rank", each["rank"]),
                "name": each["name"],
                "months": [
                    self._ranked(each, month, points)
                    for month, points in zip(told["months"], each["months"], strict=True)
                ],
                "mean": self._ranked(each, "mean", each["mean"]),
            }
            for each in told["rows"]
        ]
        return {"months": told["months"], "rows": rows}

    def _ranked(self, told: View, name: str, was: float | None) -> View:
        key = f"{AGENT}:{told['agent_id']}", f"{RANKED}{name}"
        return self._corrected(key, was, _place if name == "rank" else _points)

    def _result(self, told: View) -> View:
        """Of the whole period."""
        whole = next(each for each in self.document["sets"] if key_of(each) == key_of(told))
        met = is_met(whole, self.contract)
        return {
            **self._cell(whole, self.contract),
            "met": "" if met is None else "good" if met else "past",
            "word": "" if met is None else self.words.t("reports.met" if met else "reports.not_met"),
        }

    def complaints(self) -> View:
        told = self.document["complaints"]
        rows = [
            {
                "ticket_no": each["ticket_no"],
                "type": self._named("ticket_types", each["type"]),
                "matter": self._named("matters", each.get("matter", "")),
                "gravity": self._named("gravities", each.get("gravity", "")),
                "opened": full_date(each["opened_ms"], self.document["zone"], self.words.locale),
                "due": self._instant(each.get("due_ms")),
                "done": self._instant(each.get("done_ms")),
                "state": self.words.t(f"state.ticket.{each['state']}"),
            }
            for each in told["first"]
        ]
        kinds = [self._named("ticket_types", each) for each in told["types"]]
        return {"count": told["count"], "rows": rows, "kinds": kinds, "more": told["count"] - len(rows)}

    def _instant(self, at_ms: int | None) -> str:
        return "–" if at_ms is None else full_date(at_ms, self.document["zone"], self.words.locale)

    def _named(self, noun: str, name: str) -> str:
        return in_locale(self.document["names"][noun].get(name, {}), self.words.locale) or name

    @property
    def heading(self) -> list[str]:
        return [self.words.t(f"reports.csv.{name}") for name in CSV_COLUMNS]

    def lines(self) -> Iterator[Sequence[Cell]]:
        """Every figure of every set, each in one row, and what follows them."""
        period = (self.found.row.report_id, self.document["first"], self.document["last"])
        for row in self._lines():
            yield [*period, *row]

    def _lines(self) -> Iterator[list[Cell]]:
        for told in self.document["sets"]:
            by = self.words.t(f"reports.by.{told['by']}")
            for figure, was in figures_of_set(told).items():
                yield [by, self.name(told), *self._line(told, figure, was)]
        for title, noun, rows, names in (
            ("tickets", "ticket", self.tickets(), ("opened", "done", "left", "kept", "broken", "share")),
            ("promises", "promised", self.promises(), ("kept", "due", "share", "left")),
        ):
            for row in rows:
                for name in names:
                    word = self.words.t(f"reports.{noun}.{name}")
                    yield [self.words.t(f"reports.{title}"), row["name"], word, row[name], *_BLANK]
        yield from self._month_lines()
        for row in (self.ranking() or {"rows": []})["rows"]:
            word, rank = self.words.t("reports.mean"), self.words.t("reports.rank", n=row["rank"]["text"])
            mean, now = row["mean"]["text"], row["mean"]["now"]
            yield [self.words.t("reports.ranking"), row["name"], f"{word}: {rank}", mean, now, *_BLANK[1:]]
        for each in self.complaints()["rows"]:
            about = " · ".join(filter(None, (each["type"], each["matter"], each["gravity"], each["state"])))
            yield [self.words.t("reports.complaints"), each["ticket_no"], about, "", *_BLANK]

    def _month_lines(self) -> Iterator[list[Cell]]:
        for part in self.document.get("months", ()):
            target = self.target(part)
            for month in part["months"]:
                level = _number(month["level"], is_share=True)
                key = key_of(part), month_figure(month["month"], LEVEL)
                current = self.found.now.get(key, month["level"])
                now = "" if current == month["level"] else _number(current, is_share=True)
                word, unit = self._card_name(self.contract), self.words.t("reports.unit.share")
                yield [month["month"], self.name(part), word, level, now, unit, target, "", ""]

    def _line(self, told: View, figure: str, was: float) -> list[Cell]:
        key = key_of(told), figure
        now = self.found.now.get(key) if key in self.found.kept else was
        card = self.cards.get(figure)
        is_share = card is not None and card["unit"] == str(Unit.SHARE)
        unit = card["unit"] if card else "ms" if figure.endswith("_ms") else _COUNT
        word = self._card_name(figure) if card else self._sum_name(figure)
        return [
            word,
            _number(was, is_share=is_share),
            _number(now, is_share=is_share) if now != was else "",
            self.words.t(f"reports.unit.{unit}"),
            self.target(told) if figure == self.contract else "",
            card["formula"] if card else "",
            card["version"] if card else "",
        ]


def _level(value: float | None) -> str:
    return value_text(value, Unit.SHARE)


def _points(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _place(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f}"


def share(part: int, whole: int) -> str:
    return f"{part / whole * 100:.1f}%" if whole else "–"


def _number(value: float | None, *, is_share: bool) -> Cell:
    if value is None:
        return ""
    return round(value * 100, 2) if is_share else round(value, 1)
