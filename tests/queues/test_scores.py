"""Points: what is judged, how it is rounded, and that everybody can add it up."""

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from queues.domain.metrics import CARDS, Unit
from queues.domain.scores import COUNTED_MIN, FULL, JUDGED, Better, Score, Scores, Why, score

WRITTEN = {
    Unit.SHARE: lambda n: n % 101,
    Unit.SECONDS: lambda n: f"{n}s",
    Unit.COUNT: lambda n: n,
}


def rules(*parts: tuple[str, int, Any, Any], **head: int) -> Scores:
    names = ("figure", "points", "target", "floor")
    return Scores.model_validate({"parts": [dict(zip(names, part, strict=True)) for part in parts], **head})


@st.composite
def judged(draw: st.DrawFn) -> tuple[Scores, dict[str, float | None]]:
    """Rules that `check` would let through, and values of any kind."""
    figures = draw(st.lists(st.sampled_from(sorted(JUDGED)), min_size=1, max_size=5, unique=True))
    cuts = sorted(
        draw(st.sets(st.integers(1, FULL - 1), min_size=len(figures) - 1, max_size=len(figures) - 1))
    )
    points = [after - before for before, after in zip([0, *cuts], [*cuts, FULL], strict=True)]
    parts: list[tuple[str, int, Any, Any]] = []
    for figure, full in zip(figures, points, strict=True):
        low, high = sorted(draw(st.sets(st.integers(0, 100), min_size=2, max_size=2)))
        ends = (low, high) if JUDGED[figure] is Better.LESS else (high, low)
        write = WRITTEN[CARDS[figure].unit]
        parts.append((figure, full, *(write(end) for end in ends)))
    known = st.none() | st.floats(0, 200, allow_nan=False)
    values = {figure: draw(known) for figure in figures}
    shares = {figure for figure in figures if CARDS[figure].unit is Unit.SHARE}
    return rules(*parts), {
        figure: value if value is None or figure not in shares else value / 200
        for figure, value in values.items()
    }


@given(judged())
def test_the_parts_add_up_to_the_points_which_lie_between_none_and_all(
    given_: tuple[Scores, dict[str, float | None]],
) -> None:
    told_rules, values = given_
    told = score(values, told_rules)
    assert told == Score.from_json(told.as_json()), "what is kept is what was told"
    known = [part for part in told.parts if part.earned is not None]
    assert [part.figure for part in told.parts if part.why is Why.NO_DATA] == [
        part.figure for part in told_rules.parts if values[part.figure] is None
    ]
    if told.counted < COUNTED_MIN:
        assert told.points is None
        assert not told.is_below
        return
    assert told.points is not None
    assert 0 <= told.points <= FULL
    assert told.earned == sum(part.earned for part in known if part.earned is not None)
    if told.counted == FULL:
        assert told.points == told.earned, "nothing is rounded twice"
    assert abs(told.points - told.earned * FULL / told.counted) <= Decimal("0.005")
    assert told.is_below == (told.points < told.pass_mark)
    for part in known:
        assert part.earned is not None
        assert part.earned == part.earned.quantize(Decimal("0.01"))
        assert (part.earned == part.points) or part.why is not Why.REACHED
        assert (part.earned == 0) or part.why is not Why.FLOOR
    better = {part.figure: float(part.target_value) for part in told_rules.parts}
    best = score(
        {**values, **{name: better[name] for name, value in values.items() if value is not None}}, told_rules
    )
    assert best.points == FULL, "who reaches every target has all"


def test_59_9_is_below_and_60_is_not_and_nothing_is_rounded_up_to_it() -> None:
    aht = rules(("aht", 100, "0s", "1000s"))
    told = {
        value: score({"aht": value}, aht) for value in (400, 401, 400.04, 400.05, 400.06, 999.99, 2000, 0)
    }
    assert {value: (str(each.points), each.is_below) for value, each in told.items()} == {
        400: ("60.00", False),
        401: ("59.90", True),
        400.04: ("60.00", False),
        400.05: ("60.00", False),
        400.06: ("59.99", True),
        999.99: ("0.00", True),
        2000: ("0.00", True),
        0: ("100.00", False),
    }
    assert score({"aht": 301}, rules(("aht", 100, "0s", "1000s"), pass_mark=70)).is_below


def test_a_share_of_whole_numbers_is_exact_and_a_part_without_data_is_left_out_and_said() -> None:
    three = rules(("acceptance", 30, 95, 70), ("missed", 30, 0, 30), ("occupancy", 40, 40, 90))
    told = score({"acceptance": 19 / 20, "missed": 3 / 30, "occupancy": None}, three)
    assert [(part.earned, part.why) for part in told.parts] == [
        (Decimal(30), Why.REACHED),
        (Decimal(20), Why.BETWEEN),
        (None, Why.NO_DATA),
    ]
    assert (told.earned, told.counted, told.points) == (Decimal(50), 60, Decimal("83.33"))
    few = score({"occupancy": 65 / 100}, three)
    assert (few.earned, few.points, few.is_below) == (Decimal(20), None, False), (
        "40 of 100 is too little to judge by"
    )
    assert not score({}, three).is_below, "nobody is flagged of whom nothing is known"
    half = rules(("acceptance", 50, 95, 70), ("occupancy", 50, 40, 90))
    assert score({"occupancy": 65 / 100}, half).points == Decimal(50), "the better end may be the lower one"


def test_what_may_be_judged_is_in_the_registry_and_is_no_callers_doing() -> None:
    assert set(JUDGED) <= set(CARDS)
    for name in JUDGED:
        symbols = set(CARDS[name].formula.symbols)
        assert not symbols & {"O", "B", "B_T", "B_s", "A_T", "D_T", "wait", "longest", "N", "F"}, name
