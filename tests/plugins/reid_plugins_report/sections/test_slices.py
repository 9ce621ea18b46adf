from __future__ import annotations

import numpy as np
from reid_plugins_report.sections.slices import slices_by


def shown(values, texts=()) -> dict[str, list[int]]:
    return {
        part.label: np.flatnonzero(part.members).tolist()
        for part in slices_by(np.array(values, dtype=float), texts)
    }


def test_few_values_are_slices_of_their_own() -> None:
    assert shown([2, 0, np.nan, 2]) == {"0": [1], "2": [0, 3]}
    assert shown([1, 0, 1], ["infrared", "visible"]) == {"infrared": [1], "visible": [0, 2]}


def test_many_values_are_parted_into_quarters_of_the_queries() -> None:
    lots = np.random.default_rng(0)
    values = lots.permutation(np.arange(100.0))
    found = shown(values)
    assert [len(rows) for rows in found.values()] == [25, 25, 25, 25]
    assert sorted(sum(found.values(), [])) == list(range(100))  # noqa: RUF017
    assert list(found) == ["0 to 24.8", "24.8 to 49.5", "49.5 to 74.2", "74.2 to 99"]


def test_a_value_that_most_have_makes_fewer_slices() -> None:
    found = shown([0.0] * 60 + list(range(1, 41)))
    assert 1 < len(found) < 4
    assert sum(map(len, found.values())) == 100


def test_what_is_not_known_is_in_no_slice() -> None:
    assert shown([np.nan, np.nan]) == {}
