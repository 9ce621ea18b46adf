"""Charts of curves."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reid_plugins_runs.curves import loss_of, panels_of
from reid_plugins_runs.folders import find_runs
from reid_plugins_runs.line_chart import (
    COLOURS,
    Panel,
    Series,
    axis_of,
    draw_panels,
    fitted,
    tick_texts,
)
from reid_plugins_runs.repeats import grouped

NUMBERS = st.lists(st.floats(-1e9, 1e9, allow_subnormal=False), min_size=1, max_size=5)


@given(NUMBERS)
def test_an_axis_holds_its_values_and_has_a_few_ticks_told_apart(values) -> None:
    axis = axis_of(values, 0.0, 100.0)
    assert axis.low <= min(values)
    assert max(values) <= axis.high
    assert 2 <= len(axis.ticks) <= 9
    assert all(-1e-6 <= axis.at(value) <= 100 + 1e-6 for value in values)


@given(st.lists(st.integers(0, 500), min_size=1, max_size=5))
def test_epochs_have_whole_ticks(values) -> None:
    axis = axis_of(values, 0.0, 100.0, is_whole=True)
    assert axis.ticks
    assert all(tick == int(tick) for tick in axis.ticks)


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([0, 1], ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        ([0.0021, 0.0052], ["0.002", "0.003", "0.004", "0.005", "0.006"]),
        ([37, 92], ["30", "40", "50", "60", "70", "80", "90", "100"]),
    ],
)
def test_ticks_read_well(values, texts) -> None:
    assert tick_texts(axis_of(values, 0, 1).ticks) == texts


def test_a_line_reaches_from_end_to_end_in_its_colour() -> None:
    first, second = [(1, 0.0), (10, 1.0)], [(1, 1.0), (10, 0.0)]
    panel = Panel("loss", "epoch", [Series("a", 0, first), Series("b", 1, second)])
    picture = np.asarray(draw_panels([panel], "Run")).astype(int)
    for colour, rises in ((COLOURS[0], True), (COLOURS[1], False)):
        rows, columns = np.nonzero((abs(picture - colour) < 40).all(axis=2))
        rows, columns = rows[rows < 360], columns[rows < 360]  # above the legend
        assert np.ptp(columns) == pytest.approx(440, abs=12)
        assert np.ptp(rows) == pytest.approx(260, abs=12)
        assert (np.corrcoef(rows, columns)[0, 1] < -0.9) == rises


def test_curves_are_those_of_the_files(write_run, tmp_path) -> None:
    write_run("a", 0.25, epochs=2, train__seed=1)
    write_run("b", 0.75, epochs=2, train__lr=0.5)
    panels = panels_of(grouped(find_runs([tmp_path]).runs))
    assert [panel.title for panel in panels] == [
        "loss",
        "accuracy in training (%)",
        "mAP (%)",
        "Rank-1 (%)",
    ]
    assert [series.points for series in panels[0].series] == [[(1, 4.0), (2, 2.0)]] * 2
    assert [series.points for series in panels[2].series] == [[(2, 25.0)], [(2, 75.0)]]
    assert [series.label for series in panels[0].series] == ["train.lr=0.0003", "train.lr=0.5"]


def test_the_loss_is_the_sum_or_the_only_term_and_not_what_is_no_number() -> None:
    assert loss_of({"epoch": 1, "a": 1.0, "b": 2.0, "loss": 3.0, "acc": 9.0}) == 3.0
    assert loss_of({"kind": "epoch", "epoch": 1, "acc": 9.0, "triplet": 0.3, "lr": 1}) == 0.3
    assert loss_of({"epoch": 1, "softmax": math.nan}) is None
    assert loss_of({"epoch": 1}) is None


def test_a_long_label_keeps_both_ends() -> None:
    shown = fitted("log/" + "x" * 300 + "/seed=1", 12, 200)
    assert shown.startswith("log/")
    assert shown.endswith("seed=1")
    assert fitted("short", 12, 200) == "short"
