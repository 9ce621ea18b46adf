"""Pairs that a person should look at."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from reid_plugins_link.decisions import read_decisions
from reid_plugins_link.doubts import find_doubts, write_doubts
from reid_plugins_link.linking import link_tracklets
from reid_plugins_link.threshold import Threshold


@pytest.fixture
def town(site):
    return site(("a", 1, 1, 5), ("b", 1, 9, 12), ("c", 1, 20, 22), ("d", 1, 30, 31))


def means_for(similarity):
    """Return vectors whose products are these (T, T)."""
    return np.linalg.cholesky(np.array(similarity) + 1e-9 * np.eye(len(similarity))).astype(
        np.float32
    )


SIMILARITY = [[1, 0.55, 0.4, 0.0], [0.55, 1, 0.46, 0.0], [0.4, 0.46, 1, 0.1], [0.0, 0.0, 0.1, 1]]


def test_what_is_near_the_threshold_is_doubtful_on_either_side(town) -> None:
    threshold = Threshold(0.5, 0.1, 0.1)
    linked = link_tracklets(town, means_for(SIMILARITY), threshold)
    assert linked.identity.tolist() == [1, 1, 2, 3]
    joined, apart = find_doubts(linked, threshold)
    assert (joined.a, joined.b, joined.joined) == (0, 1, True)
    assert (apart.a, apart.b, apart.joined) == (1, 2, False)  # the more similar of two pairs
    assert joined.similarity == pytest.approx(0.55, abs=1e-5)
    assert apart.similarity == pytest.approx(0.43, abs=1e-5)  # of the identity, not of the pair
    assert apart.score == pytest.approx(-0.07, abs=1e-5)


def test_either_side_has_its_own_margin(town) -> None:
    linked = link_tracklets(town, means_for(SIMILARITY), Threshold(0.5))
    assert [each.joined for each in find_doubts(linked, Threshold(0.5, below=0.1))] == [False]
    assert [each.joined for each in find_doubts(linked, Threshold(0.5, above=0.1))] == [True]


def test_without_a_margin_nothing_is_doubtful(town) -> None:
    bare = Threshold(0.5)
    assert find_doubts(link_tracklets(town, means_for(SIMILARITY), bare), bare) == []


def test_what_cannot_be_the_same_is_not_asked_about(site) -> None:
    same_time = site(("a", 1, 1, 5), ("b", 1, 3, 6))
    threshold = Threshold(0.5, 0.1, 0.1)
    linked = link_tracklets(same_time, means_for([[1, 0.48], [0.48, 1]]), threshold)
    assert find_doubts(linked, threshold) == []


def test_what_is_written_can_be_filled_in_and_read(town, tmp_path) -> None:
    threshold = Threshold(0.5, 0.1, 0.1)
    linked = link_tracklets(town, means_for(SIMILARITY), threshold)
    doubts = find_doubts(linked, threshold)
    file = io.BytesIO()
    write_doubts(file, doubts, town, [2, 1, None, 0], threshold)
    rows = list(csv.DictReader(io.StringIO(file.getvalue().decode())))
    assert [row["joined"] for row in rows] == ["yes", "no"]
    assert rows[0]["frame_a"] == "3"  # row 2 of the track's boxes
    assert rows[1]["frame_b"] == "20"  # of a track without a crop the first box
    assert rows[0]["left_a"] == "40.0"
    assert {row["decision"] for row in rows} == {""}
    filled = file.getvalue().decode().replace(",\r\n", ",same\r\n")
    (tmp_path / "filled.csv").write_text(filled, newline="")
    decisions = read_decisions(tmp_path / "filled.csv", town)
    assert [(each.a, each.b, each.is_same) for each in decisions] == [(0, 1, True), (1, 2, True)]
