"""Bands inside each format: the maths alone, and the properties that no order of the files may change."""

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from queues.domain.ranking import (
    Entrant,
    Ranked,
    Ranking,
    band_of,
    entrant_of,
    left_out_by,
    rank_all,
    score_of,
    sort_key,
)

RANKING = Ranking.model_validate(
    {
        "within": "store_format",
        "of": ["qty", "amount"],
        "ties": ["amount", "account_no"],
        "bands": [
            {"code": "1", "share": 20, "name": {"en": "Large"}},
            {"code": "2", "share": 60, "name": {"en": "Medium"}},
            {"code": "3", "share": 20, "name": {"en": "Small"}},
        ],
        "leave_out": [{"attribute": "days", "at_least": 28, "why": {"en": "buys almost every day"}}],
    }
)


def entrant(
    customer_id: str, qty: Any, amount: Any, store_format: str = "Z", account_no: str = ""
) -> Entrant:
    values = {"store_format": store_format, "qty": qty, "amount": amount, "account_no": account_no}
    found = entrant_of(RANKING, customer_id, values)
    assert found is not None
    return found


def bands(ranked: dict[str, Ranked]) -> list[int]:
    counts = Counter(each.band for each in ranked.values())
    return [counts[code] for code in ("1", "2", "3")]


@pytest.mark.parametrize(("count", "expected"), [(10, [2, 6, 2]), (7, [2, 4, 1]), (1, [1, 0, 0])])
def test_the_checks_of_the_requirements(count: int, expected: list[int]) -> None:
    assert bands(rank_all(RANKING, [entrant(f"C{n}", n, 10 * n) for n in range(count)])) == expected


def test_the_worked_score() -> None:
    score = score_of((50, 12_000), (1_000, 200_000))
    assert f"{score:f}" == "0.055000000000000000"


def test_a_total_of_nothing_counts_nothing() -> None:
    ranked = rank_all(RANKING, [entrant("A", 0, 10), entrant("B", 0, 30), entrant("C", None, 0)])
    assert {each.customer_id: f"{each.score:.4f}" for each in ranked.values()} == {
        "A": "0.1250",
        "B": "0.3750",
        "C": "0.0000",
    }


def test_equal_scores_go_by_amount_then_by_the_smaller_account_number() -> None:
    equal = [entrant("C", 1, 9, account_no="10"), entrant("B", 1, 9, account_no="9"), entrant("A", 9, 1)]
    order = sorted(rank_all(RANKING, equal).values(), key=lambda each: each.rank)
    assert [each.customer_id for each in order] == ["A", "B", "C"]
    amounts = [entrant("B", 5, 5), entrant("A", 5, 5, account_no="2")]
    assert rank_all(RANKING, amounts)["A"].rank == 1, "who has a number stands before who has none"
    same_score = [entrant("A", 10, 20), entrant("B", 20, 10)]
    totals = (30_000_000, 30_000_000)
    keys = {each.customer_id: sort_key(each, score_of(each.figures, totals)) for each in same_score}
    assert keys["A"] < keys["B"], "the larger amount goes first"


def test_returned_goods_count_as_nothing_and_a_file_without_a_format_takes_no_part() -> None:
    assert entrant("A", "-5", "x").figures == (0, 0)
    assert entrant_of(RANKING, "A", {"qty": 3}) is None


def test_who_is_left_out_and_why() -> None:
    found = left_out_by(RANKING, {"days": "29"})
    assert found is not None
    assert found.why == {"en": "buys almost every day"}
    assert left_out_by(RANKING, {"days": "27"}) is None
    assert left_out_by(RANKING, {}) is None


def test_bands_make_a_whole() -> None:
    with pytest.raises(ValidationError, match="the shares of the bands are 90 together"):
        Ranking.model_validate(
            {"within": "f", "of": ["q"], "bands": [{"code": "1", "share": 90, "name": {"en": "x"}}]}
        )
    with pytest.raises(ValidationError, match="two bands with the code '1'"):
        Ranking.model_validate(
            {"within": "f", "of": ["q"], "bands": [{"code": 1, "share": 50, "name": {"en": "x"}}] * 2}
        )


figures = st.one_of(st.integers(0, 50), st.decimals(0, 10**9, places=2), st.sampled_from([0, 1, 1]))
files = st.lists(
    st.tuples(figures, figures, st.sampled_from("ZSY"), st.integers(0, 3).map(str)), min_size=1, max_size=40
)


def _entrants(drawn: list[tuple[Any, Any, str, str]]) -> list[Entrant]:
    return [
        entrant(f"C{n:03d}", qty, amount, store_format, account)
        for n, (qty, amount, store_format, account) in enumerate(drawn)
    ]


@given(files, st.randoms())
def test_the_order_in_which_files_come_changes_nothing(drawn: Any, chance: Any) -> None:
    entrants = _entrants(drawn)
    shuffled = list(entrants)
    chance.shuffle(shuffled)
    assert rank_all(RANKING, shuffled) == rank_all(RANKING, entrants)


@given(files)
def test_formats_are_never_ranked_together(drawn: Any) -> None:
    entrants = _entrants(drawn)
    together = rank_all(RANKING, entrants)
    for store_format in "ZSY":
        alone = rank_all(RANKING, [each for each in entrants if each.group == store_format])
        assert alone == {name: each for name, each in together.items() if each.group == store_format}


@given(files)
def test_ranks_are_whole_and_bands_follow_them(drawn: Any) -> None:
    for store_format in "ZSY":
        group = [each for each in _entrants(drawn) if each.group == store_format]
        ordered = sorted(rank_all(RANKING, group).values(), key=lambda each: each.rank)
        assert [each.rank for each in ordered] == list(range(1, len(group) + 1))
        assert [each.score for each in ordered] == sorted((each.score for each in ordered), reverse=True)
        assert "".join(each.band for each in ordered) == "".join(sorted(each.band for each in ordered))
        total = sum(each.score for each in ordered)
        assert total <= 1 + Decimal(len(group)).scaleb(-18), "no more than what rounding adds"


@given(st.integers(1, 5000))
def test_the_edges_of_the_bands(count: int) -> None:
    counts = Counter(band_of(RANKING, rank, count) for rank in range(1, count + 1))
    assert counts["1"] == -(-20 * count // 100)
    assert counts["1"] + counts["2"] == -(-80 * count // 100)
