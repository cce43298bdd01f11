"""A metric card on a page: the value, the formula as it is computed, its words, and its symbols with their calls."""

from typing import Any

from queues.domain.formulas import Value
from queues.domain.metrics import Unit
from queues.service.figures import AGENT_COUNTS, CALL_SETS, Figure
from queues.web.figures_asked import Found, address
from queues.web.figures_values import value_text
from queues.web.words import Words

View = dict[str, Any]


def card_view(figure: Figure, found: Found, contract: str, words: Words, *, agent: str = "") -> View:
    """`agent`: the calls behind it are those of this agent alone."""
    card = figure.card
    return {
        "id": card.id,
        "name": words.t(f"figures.card.{card.id}.name"),
        "text": value_text(figure.value, card.unit),
        "is_contract": card.id == contract,
        "formula": card.formula.printed,
        "words": words.t(f"figures.card.{card.id}.words"),
        "window": words.t(f"figures.window.{card.window}"),
        "unit": words.t(f"figures.unit.{card.unit}"),
        "version": card.version,
        "source": card.source,
        "symbols": [_symbol(name, value, found, words, agent) for name, value in figure.symbols.items()],
    }


def _symbol(name: str, value: Value, found: Found, words: Words, agent: str) -> View:
    is_listed = name in CALL_SETS and bool(value)
    is_count = name in CALL_SETS or name in AGENT_COUNTS or name.startswith(("E", "S_"))
    return {
        "name": name,
        "word": words.t(f"figures.symbol.{name}"),
        "text": value_text(value, Unit.COUNT if is_count else Unit.SECONDS),
        "href": address("/calls", found, of=name, agent=agent) if is_listed else "",
    }
