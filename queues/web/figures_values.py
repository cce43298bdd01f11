"""How the value of a figure is written: on a page, and as a number in a table."""

from queues.domain.formulas import Value
from queues.domain.metrics import Unit
from queues.service.figures import CARDS, Figure
from queues.web.times import face
from queues.web.words import Words


def value_text(value: Value, unit: Unit) -> str:
    if value is None:
        return "–"
    if unit is Unit.SHARE:
        return f"{value * 100:.2f}%"
    return face(round(value) * 1000) if unit is Unit.SECONDS else f"{value:,.0f}"


def text_of(figure: Figure) -> str:
    return value_text(figure.value, figure.card.unit)


def number_of(figure: Figure) -> float | None:
    """Percent with two digits, seconds with one."""
    if figure.value is None:
        return None
    return round(figure.value * 100, 2) if figure.card.unit is Unit.SHARE else round(figure.value, 1)


def heading_of(card_id: str, words: Words) -> str:
    """Of a column that holds such numbers: the card's name with the unit."""
    key = "figures.csv.percent" if CARDS[card_id].unit is Unit.SHARE else "figures.csv.seconds"
    return words.t(key, of=words.t(f"figures.card.{card_id}.name"))
