"""R105: the ranking uses the mean of the three monthly scores, and ties share a rank."""

from queues.domain.reports import mean_of, rank


def test_the_ranking_uses_the_mean_of_three_months_and_ties_share_a_rank() -> None:
    means = {
        "chen": mean_of([80.0, 90.0, 100.0]),
        "li": mean_of([90.0, 90.0, 90.0]),
        "wang": mean_of([100.0, 95.0, 90.0]),
        "zhao": mean_of([59.9, 60.0, 60.1]),
    }
    told = rank({who: mean for who, mean in means.items() if mean is not None})
    assert [tuple(each) for each in told] == [
        (1, "wang", 95.0),
        (2, "chen", 90.0),
        (2, "li", 90.0),
        (4, "zhao", 60.0),
    ]
    assert mean_of([]) is None
