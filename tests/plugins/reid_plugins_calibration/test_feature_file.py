"""Features of files, with queries and gallery or without."""

from __future__ import annotations

import numpy as np
import pytest
from reid_plugins_calibration.feature_file import items_in
from reid_plugins_calibration.similarity_counts import spread_of

from reidcore.errors import DataError


@pytest.fixture
def write(tmp_path):
    def written(**arrays):
        path = tmp_path / "given.npz"
        np.savez(path, **arrays)
        return path

    return written


def counts(path, **options) -> tuple[int, int]:
    spread = spread_of(items_in(path, **options))
    return spread.num_matches, spread.num_nonmatches


def test_a_table_of_all_images(write, draw) -> None:
    features, pids, camids = draw(12)
    path = write(features=features, pids=pids, camids=camids)
    assert counts(path) == (12 * 4, 12 * 11 // 2 * 8)
    assert counts(path, across=False) == (12 * 6, 12 * 11 // 2 * 16)


def test_names_and_numbers_do_alike(write, draw) -> None:
    features, pids, camids = draw(12)
    numbered = counts(write(features=features, pids=pids, camids=camids))
    names = np.array([f"car {pid}" for pid in pids]), np.array(["gate", "yard"])[camids]
    assert counts(write(features=features, pids=names[0], camids=names[1])) == numbered


def test_without_cameras_all_pairs_count(write, draw) -> None:
    features, pids, _ = draw(12)
    assert counts(write(features=features, pids=pids))[0] == 12 * 6


def test_tracks_are_of_an_identity_and_a_camera(write, draw) -> None:
    features, pids, camids = draw(12)
    path = write(features=features, pids=pids, camids=camids, tracks=pids * 0)
    assert counts(path, across=False) == (12 * 4, 12 * 11 // 2 * 16)


def test_queries_and_gallery_are_one_table_without_distractors(write, draw) -> None:
    features, pids, camids = draw(12)
    is_query = (np.arange(48) % 4 == 0) & (pids < 10)
    sides = {
        side: {"features": features[rows], "pids": pids[rows], "camids": camids[rows]}
        for side, rows in (("query", is_query), ("gallery", ~is_query))
    }
    path = write(**{f"{side}_{name}": each for side in sides for name, each in sides[side].items()})
    # Ten identities have queries: two more are strangers to all, and no matches of themselves.
    assert counts(path) == (10 * 4, 12 * 11 // 2 * 8)


def test_an_image_on_both_sides_counts_once(write, draw) -> None:
    features, pids, camids = draw(12)
    paths = np.array([f"{number}.jpg" for number in range(48)])
    rows = np.r_[0:48, 0:12]
    columns = {"feature": features, "pid": pids, "camid": camids, "path": paths}
    split = np.array(["gallery"] * 48 + ["query"] * 12)
    path = write(**{name: each[rows] for name, each in columns.items()}, split=split)
    assert len(items_in(path)) == 48
    assert counts(path)[0] == 3 * 4


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"pids": np.arange(5)}, "its pids are of shape"),
        ({"pids": np.array(["a", " "] * 24)}, "24 of the pids .* the first in row 1"),
        ({"pids": np.full(48, np.nan)}, "48 of the pids"),
        ({"features": np.full((48, 3), np.inf)}, "48 of 48 features are NaN or infinite"),
        ({"features": np.full((48, 3), "x")}, "Give real numbers"),
    ],
)
def test_what_is_wrong_is_told(write, draw, change, told) -> None:
    arrays = dict(zip(("features", "pids", "camids"), draw(12), strict=True))
    with pytest.raises(DataError, match=told):
        items_in(write(**{**arrays, **change}))


def test_sides_of_two_models_are_refused(write, draw) -> None:
    features, pids, camids = draw(12)
    sides = {"q_pids": pids, "g_pids": pids, "q_camids": camids, "g_camids": camids}
    with pytest.raises(DataError, match="12 dimensions, those of the gallery 8"):
        items_in(write(query_features=features, gallery_features=features[:, :8], **sides))
