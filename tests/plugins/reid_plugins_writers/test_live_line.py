"""The live line fits every width, and never cuts a count or a time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reid_plugins_writers.live_line import LiveLine

FIGURES = "softmax 5.123  triplet 0.2841  loss 5.407  acc 45.31  lr 0.000300"


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_count_and_time_are_whole_at_every_width(width: int) -> None:
    line = LiveLine("epoch 10/60", 120, 391, "12:34:56", FIGURES).fitted(width).plain
    assert len(line) <= width
    assert line.startswith("epoch 10/60")
    assert "120/391" in line
    assert "eta 12:34:56" in line


def test_a_wide_terminal_shows_everything() -> None:
    line = LiveLine("epoch 1/2", 1, 4, "0:00:10", FIGURES).fitted(200).plain
    assert line.endswith(FIGURES)
    assert line.count("━") == 5


def test_figures_that_are_cut_say_so() -> None:
    assert LiveLine("epoch 1/2", 1, 4, "0:00:10", FIGURES).fitted(60).plain.endswith("…")


def test_nobody_knows_how_long_it_is() -> None:
    assert LiveLine("market1501: query", 3).fitted(80).plain == "market1501: query  3"


@given(
    st.text("abc: ", max_size=50),
    st.integers(0, 10**6),
    st.one_of(st.none(), st.integers(0, 10**6)),
    st.sampled_from(["", "0:00:01", "3 days, 12:34:56"]),
    st.text("ab 01.", max_size=150),
    st.integers(40, 200),
)
def test_it_is_never_wider_than_the_terminal(
    label: str, done: int, total: int | None, eta: str, figures: str, width: int
) -> None:
    line = LiveLine(label, done, total, eta, figures).fitted(width).plain
    assert len(line) <= width
    assert (str(done) if total is None else f"{done}/{total}") in line
    assert eta in line
