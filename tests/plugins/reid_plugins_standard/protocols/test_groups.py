"""Features of groups: multi-query search and tracklets of frames."""

import numpy as np
import pytest
import torch
from reid_plugins_standard.protocols.groups import (
    MultiQuery,
    Video,
    groups_of,
    tracklets_of,
)
from torch.nn.functional import normalize

from reidcore.errors import UnknownNameError
from reidcore.evaluation import Labels, evaluate_features
from tests.plugins.reid_plugins_standard.protocols.brute_force import assert_agree, expected
from tests.plugins.reid_plugins_standard.protocols.problems import PROBLEMS


def test_groups_come_in_the_order_of_their_first_images():
    groups = groups_of(np.array([7, 3, 7, 5, 3]), np.array(["a", "a", "a", "b", "a"]))
    assert groups.members.tolist() == [0, 2, 1, 4, 3]
    assert groups.sizes.tolist() == [2, 2, 1]
    assert groups.first.tolist() == [0, 1, 3]


def test_features_are_pooled_dimension_by_dimension():
    groups = groups_of(np.array([1, 2, 1]))
    features = torch.tensor([[1.0, 4.0], [9.0, 9.0], [3.0, 0.0]])
    assert groups.pool(features, "avg").tolist() == [[2, 2], [9, 9]]
    assert groups.pool(features, "max").tolist() == [[3, 4], [9, 9]]


def test_tracks_are_those_of_a_person_by_a_camera():
    pids, camids = np.array([1, 1, 1, 2, 1]), np.array([0, 0, 1, 0, 0])
    tracks = np.array([0, 0, 0, 0, -1])
    assert tracklets_of(pids, camids, tracks).sizes.tolist() == [2, 1, 1, 1]
    unknown = np.full(5, -1)
    assert tracklets_of(pids, camids, unknown).sizes.tolist() == [1, 1, 1, 1, 1]


def test_several_queries_find_what_each_misses_by_hand():
    """Alone each query is nearest to person 2; their mean (2, 2) is nearest to person 1."""
    query = [[4.0, 0.0], [0.0, 4.0]]
    gallery = [[1.0, 1.0], [4.0, 1.0], [1.0, 4.0]]
    sides = ([1, 1], [1, 2, 2], [0, 0], [1, 1, 1])
    alone = evaluate_features(query, gallery, *sides)
    assert alone.first_rank.tolist() == [2, 2]
    together = evaluate_features(query, gallery, *sides, protocol=MultiQuery(normalize=False))
    assert together.first_rank.tolist() == [1]
    assert together.num_valid == 1
    assert together.conditions["query"] == "average of a camera's features of a person"


def test_queries_of_other_cameras_stay_apart(caplog):
    features = torch.eye(3)
    sides = ([1, 1, 1], [1, 2, 2], [0, 1, 0], [2, 2, 2])
    assert evaluate_features(features, features, *sides, protocol=MultiQuery()).num_valid == 2
    assert caplog.text == ""


def test_single_queries_are_told(caplog):
    features = torch.eye(2)
    sides = ([1, 2], [1, 2], [0, 0], [1, 1])
    result = evaluate_features(features, features, *sides, protocol=MultiQuery())
    assert result.num_valid == 2
    assert "this is single-query search" in caplog.text


def test_multi_query_normalizes_before_it_pools():
    torch.manual_seed(0)
    query, gallery = torch.randn(6, 4) * 9, torch.randn(20, 4) * 9
    sides = (np.arange(6) % 2, np.arange(20) % 3, np.zeros(6, int), np.ones(20, int))
    labels = Labels(*sides)
    pooled = MultiQuery("max").pool(query, gallery, labels)
    even = normalize(query, dim=1)[::2].amax(0)
    torch.testing.assert_close(pooled.query[0], even)
    torch.testing.assert_close(pooled.gallery, normalize(gallery, dim=1))
    assert pooled.query_rows.tolist() == [0, 1]


def drawn_frames(rng, tracks):
    """Draw tracks of two frames each, whose frames are mixed; a track is named by its number."""
    return {
        "pids": rng.integers(0, 3, tracks),
        "camids": rng.integers(0, 2, tracks),
        "rows": rng.permutation(np.repeat(np.arange(tracks), 2)),
        "features": rng.integers(0, 3, (2 * tracks, 2)).astype(np.float32),
    }


@pytest.mark.parametrize("pooling", ["avg", "max"])
def test_tracklets_agree_with_the_definition(pooling):
    """Features are whole numbers, so that distances of pooled ones are exact, and often tied."""
    ranked = 0
    reduction = {"avg": np.mean, "max": np.max}[pooling]
    for seed in range(PROBLEMS // 2):
        rng = np.random.default_rng(seed)
        sides = [drawn_frames(rng, count) for count in (4, 10)]
        tracks = [list(dict.fromkeys(side["rows"].tolist())) for side in sides]
        pooled = [
            np.stack([reduction(side["features"][side["rows"] == one], axis=0) for one in order])
            for side, order in zip(sides, tracks, strict=True)
        ]
        distances = ((pooled[0][:, None] - pooled[1]) ** 2).sum(-1)

        def same(name, i, j, sides=sides, tracks=tracks):
            return sides[0][name][tracks[0][i]] == sides[1][name][tracks[1][j]]

        reference = expected(
            distances,
            lambda i, j: same("pids", i, j) and not same("camids", i, j),
            lambda i, j: same("pids", i, j) and same("camids", i, j),
        )
        if reference.valid:
            result = evaluate_features(
                *(side["features"] for side in sides),
                *(side["pids"][side["rows"]] for side in sides),
                *(side["camids"][side["rows"]] for side in sides),
                protocol=Video(pooling),
                columns={"track": tuple(side["rows"] for side in sides)},
            )
            assert_agree(result, reference)
            ranked += 1
    assert ranked > 80


def test_rows_that_are_tracklets_stay_as_they_are():
    features = torch.eye(4)
    sides = ([1, 1, 2, 2], [1, 1, 2, 2], [0, 0, 0, 0], [1, 1, 1, 1])
    assert Video().pool(features, features, Labels(*sides)) is None
    result = evaluate_features(features, features, *sides, protocol=Video())
    assert result.num_valid == 4
    assert result.conditions["tracklets"] == "rows of the tables"
    numbered = {"track": (np.arange(4), np.arange(4))}
    same = evaluate_features(features, features, *sides, protocol=Video("max"), columns=numbered)
    assert same.ap.tolist() == result.ap.tolist()
    assert same.conditions["tracklets"] == "rows of one track pooled (maximum)"


def test_tracks_of_one_side_alone_are_told():
    labels = Labels([1], [1], [0], [1], {"track": np.array([0])})
    with pytest.raises(UnknownNameError, match="the gallery has no column 'track'"):
        Video().pool(torch.eye(1), torch.eye(1), labels)


def test_pooling_is_avg_or_max():
    with pytest.raises(UnknownNameError, match="pooling is avg or max, not 'mean'"):
        Video("mean")
    with pytest.raises(UnknownNameError, match="pooling is avg or max"):
        MultiQuery("maximum")
