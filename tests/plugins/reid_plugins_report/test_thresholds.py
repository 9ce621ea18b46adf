"""Thresholds, against counts by hand and in plain Python."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reid_plugins_report.evidence import Spread
from reid_plugins_report.thresholds import Rates


def spread(matches: list[int], nonmatches: list[int]) -> Spread:
    edges = np.arange(len(matches) + 1, dtype=float)
    return Spread(edges, np.array(matches), np.array(nonmatches))


RATES = Rates.of(spread([6, 3, 1, 0], [0, 10, 30, 60]))


def test_the_threshold_is_the_greatest_that_keeps_to_the_false_match_rate() -> None:
    at = RATES.at_fmr(0.1)
    assert (at.threshold, at.fmr) == (2.0, 0.1)
    assert at.fnmr == pytest.approx(0.1)  # one match of ten lies beyond
    below = RATES.at_fmr(0.0999)
    assert (below.threshold, below.fmr) == (1.0, 0.0)
    assert below.fnmr == pytest.approx(0.4)


def test_equal_error() -> None:
    at = RATES.equal_error()
    assert (at.threshold, at.fmr) == (2.0, 0.1)


def test_roc_and_its_area() -> None:
    assert RATES.roc(np.array([0.0, 0.05, 0.1, 1.0])) == [
        (0.0, pytest.approx(0.6)),
        (0.05, pytest.approx(0.6)),
        (0.1, pytest.approx(0.9)),
        (1.0, 1.0),
    ]
    # Of 6, 3 and 1 matches the pairs with non-matches that are farther, ties a half.
    farther = 6 * 100 + 3 * (90 + 5) + 1 * (60 + 15)
    assert RATES.area() == pytest.approx(farther / (10 * 100))


def test_without_matches_or_without_nonmatches_there_is_no_rate() -> None:
    assert Rates.of(spread([0, 0], [1, 2])) is None
    assert Rates.of(spread([1, 2], [0, 0])) is None


COUNTS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=8)


@given(COUNTS, st.floats(0, 1))
def test_no_greater_threshold_would_do(counts, most) -> None:
    matches, nonmatches = (list(each) for each in zip(*counts, strict=True))
    rates = Rates.of(spread(matches, nonmatches))
    if rates is None:
        return
    accepted = [sum(nonmatches[:edge]) for edge in range(len(counts) + 1)]
    allowed = [edge for edge, count in enumerate(accepted) if count / sum(nonmatches) <= most]
    found = rates.at_fmr(most)
    assert found.threshold == max(allowed)
    assert found.fnmr == pytest.approx(sum(matches[max(allowed) :]) / sum(matches))
