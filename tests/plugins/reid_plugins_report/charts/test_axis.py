from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reid_plugins_report.charts import Scale, percent, plain


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (1, 50, [10, 20, 30, 40, 50]),
        (0.03, 0.071, [0.03, 0.04, 0.05, 0.06, 0.07]),
    ],
)
def test_ticks_are_round(low, high, ticks) -> None:
    assert Scale("x", low, high).ticks() == pytest.approx(ticks)


def test_a_logarithmic_scale_has_a_tick_for_each_power() -> None:
    scale = Scale("x", 1e-4, 1, is_log=True)
    assert scale.ticks() == pytest.approx([1e-4, 1e-3, 1e-2, 1e-1, 1])
    assert scale.share(1e-2) == pytest.approx(0.5)
    assert (scale.share(0), scale.share(9)) == (0, 1)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=5))
def test_a_scale_around_values_has_them_all(values) -> None:
    scale = Scale.around("x", values)
    assert scale.low < scale.high
    assert scale.low <= min(values) + 1e-6 * (scale.high - scale.low)
    assert scale.high >= max(values) - 1e-6 * (scale.high - scale.low)
    assert 1 <= len(scale.ticks()) <= 8


def test_numbers_as_they_are_written() -> None:
    assert [plain(value) for value in (0.12345, 12.3456, 12345.6)] == ["0.123", "12.3", "12,346"]
    assert [percent(value) for value in (0.07, 0.7312, 1e-5)] == ["7", "73.1", "0.001"]
