"""The curve of what is not over yet is the textbook's, and sums of unlike chances are exact."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stakeholders.clocks.survival import likely_count, survival

# Remission of leukaemia under 6-mercaptopurine, in weeks; + was not over (Freireich et al., Blood 21, 1963), with the
# product-limit values that every textbook prints for it.
WEEKS = (6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35)
NOT_OVER = (3, 5, 7, 8, 11, 12, 13, 16, 17, 18, 19, 20)  # places in WEEKS of those with a +
PRINTED = {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}


def test_the_curve_of_a_famous_trial_is_the_one_that_was_printed() -> None:
    curve = survival(WEEKS, [place not in NOT_OVER for place in range(len(WEEKS))])
    assert {round(time): round(share, 3) for time, share in zip(curve.times, curve.shares, strict=True)} == PRINTED
    assert (curve.ended, curve.known_at(22), curve.known_at(35)) == (9, 6, 0)
    assert curve.beyond(5) == 1
    assert curve.beyond(1000) == pytest.approx(0.448, abs=0.001)  # nothing longer is known: as it was last


@settings(deadline=None)  # the first example imports scipy
@given(st.lists(st.tuples(st.integers(0, 30), st.booleans()), min_size=1, max_size=60))
def test_the_curve_agrees_with_scipy(seen: list[tuple[int, bool]]) -> None:
    from scipy import stats

    durations, over = [float(time) for time, _ in seen], [ended for _, ended in seen]
    curve = survival(durations, over)
    data = stats.CensoredData.right_censored(durations, [not ended for ended in over])
    theirs = stats.ecdf(data).sf
    for time in range(31):
        expected = theirs.evaluate(time)
        assert curve.beyond(time) == pytest.approx(expected, abs=1e-9)


def test_what_has_lasted_long_is_likelier_to_last_longer_when_the_quick_ones_are_gone() -> None:
    curve = survival([1.0] * 90 + [10.0] * 10, [True] * 100)
    assert curve.after(0, 5) == pytest.approx(0.1)
    assert curve.after(2, 5) == pytest.approx(1.0)
    assert curve.after(10, 20) is None
    assert curve.after(2, 1) == pytest.approx(1.0)  # a clock that has run out is not a chance any more


def test_what_is_unfinished_is_not_taken_for_short() -> None:
    """Leaving the open ones out would say that all is done by the first hour."""
    curve = survival([1.0] * 50 + [5.0] * 50, [True] * 50 + [False] * 50)
    assert curve.beyond(2) == 0.5


def test_nothing_known_says_nothing() -> None:
    assert survival([], []).beyond(3) == 1
    assert survival([], []).known_at(0) == 0
    with pytest.raises(ValueError, match="negative"):
        survival([-1.0], [True])


@given(st.lists(st.floats(0, 1), max_size=8), st.sampled_from((0.5, 0.8, 0.95)))
def test_the_likely_range_of_a_count_holds_at_least_its_probability(chances: list[float], within: float) -> None:
    low, high = likely_count(chances, within)
    weights: dict[int, float] = {}
    for outcome in product((0, 1), repeat=len(chances)):
        share = 1.0
        for happened, chance in zip(outcome, chances, strict=True):
            share *= chance if happened else 1 - chance
        weights[sum(outcome)] = weights.get(sum(outcome), 0.0) + share
    assert sum(share for count, share in weights.items() if low <= count <= high) >= within - 1e-9
    assert sum(share for count, share in weights.items() if count < low) <= (1 - within) / 2 + 1e-9
    assert sum(share for count, share in weights.items() if count > high) <= (1 - within) / 2 + 1e-9
