import json
from dataclasses import replace

import numpy as np
import pytest
from reid_plugins_standard.protocols import camera_results

from reidcore.errors import UnknownNameError
from reidcore.evaluation import (
    AnyCamera,
    FeatureDistances,
    Labels,
    Market1501,
    MatrixDistances,
    evaluate,
)
from tests.plugins.reid_plugins_standard.protocols.problems import small_problems


@pytest.fixture(scope="module")
def found():
    """Queries 0 and 1 are by camera 0, query 2 by camera 1; camera 2 sees identity 1 alone."""
    labels = Labels([1, 2, 1], [1, 2, 1, 2, 1], [0, 0, 1], [0, 1, 1, 1, 2])
    distances = MatrixDistances(
        [[0.0, 1.0, 2.0, 3.0, 4.0], [2.0, 4.0, 1.0, 3.0, 0.0], [2.0, 0.0, 0.0, 1.0, 3.0]]
    )
    return camera_results(distances, labels)


def test_each_camera_by_hand(found):
    """Query 0: matches at 2 and 4 of 4; query 1: at 4 and 5 of 5; query 2: at 3 and 4 of 4."""
    zero, one = found.cameras[0], found.cameras[1]
    assert (zero.num_queries, zero.num_valid, zero.rank1) == (2, 2, 0)
    assert zero.mAP == pytest.approx((1 / 2 + 2 / 4 + 1 / 4 + 2 / 5) / 4)
    assert (one.num_queries, one.num_valid, one.rank1) == (1, 1, 0)
    assert one.mAP == pytest.approx((1 / 3 + 2 / 4) / 2)


def test_each_pair_by_hand(found):
    assert found.pairs[0, 0].num_valid == 0
    assert np.isnan(found.pairs[0, 0].mAP)
    assert found.pairs[0, 1].num_valid == 2
    assert found.pairs[0, 1].mAP == pytest.approx((1 / 2 + (1 / 2 + 2 / 3) / 2) / 2)
    assert found.pairs[0, 1].rank1 == 0
    assert (found.pairs[0, 2].num_queries, found.pairs[0, 2].num_valid) == (2, 1)
    assert found.pairs[0, 2].rank1 == 1
    assert found.pairs[1, 0].mAP == 1
    assert found.pairs[1, 1].num_valid == 0


def test_the_matrix_has_a_cell_for_each_pair(found):
    queries, galleries, cells = found.matrix("num_valid")
    assert (queries, galleries) == ([0, 1], [0, 1, 2])
    assert cells.tolist() == [[0, 2, 1], [1, 0, 1]]
    assert found.matrix()[2].shape == (2, 3)
    with pytest.raises(UnknownNameError, match="rank1"):
        found.matrix("rank_1")


def test_everything_is_ready_for_json(found):
    told = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert told["cameras"][0]["query_camera"] == 0
    assert told["pairs"][0] == {
        "query_camera": 0,
        "gallery_camera": 0,
        "num_queries": 2,
        "num_valid": 0,
        "mAP": None,
        "rank1": None,
    }


@pytest.mark.parametrize("protocol", [Market1501(), AnyCamera()], ids=lambda p: type(p).__name__)
def test_a_pair_is_an_evaluation_of_its_own(protocol):
    compared = 0
    for problem in small_problems(12, seed=3, queries=8, gallery=20):
        labels, distances = problem.labels, MatrixDistances(problem.distances)
        found = camera_results(distances, labels, protocol)
        for (query, gallery), pair in found.pairs.items():
            rows = np.flatnonzero(labels.q_camids == query)
            columns = np.flatnonzero(labels.g_camids == gallery)
            if pair.num_valid:
                alone = protocol.evaluate(distances.take(rows, columns), labels.take(rows, columns))
                assert pair.num_valid == alone.num_valid
                assert pair.mAP == pytest.approx(alone.mAP)
                assert pair.rank1 == pytest.approx(alone.cmc_at(1))
                compared += 1
    assert compared > 50


def test_cameras_together_are_the_whole():
    rng = np.random.default_rng(0)
    labels = Labels(
        *(rng.integers(0, high, size) for high, size in ((5, 300), (5, 400))),
        *(rng.integers(0, 3, size) for size in (300, 400)),
    )
    distances = FeatureDistances(rng.normal(size=(300, 8)), rng.normal(size=(400, 8)))
    whole = evaluate(distances, labels)
    found = camera_results(distances, labels, result=whole)
    weights = [each.num_valid for each in found.cameras.values()]
    assert sum(weights) == whole.num_valid
    for name, expected in (("mAP", whole.mAP), ("rank1", whole.cmc_at(1))):
        parts = [getattr(each, name) for each in found.cameras.values()]
        assert np.average(parts, weights=weights) == pytest.approx(expected)


def test_the_protocols_kind_of_ap_and_own_files_count_in_pairs_too():
    """The query's own file is at 0; a stranger at 1, its match at 2."""
    labels = Labels([1], [1, 2, 1], [0], [1, 1, 1], None, None, [7], [7, 8, 9])
    distances = MatrixDistances([[0.0, 1.0, 2.0]])
    plain, trapezoid = Market1501(), Market1501()
    trapezoid.ap = "trapezoid"
    for protocol, ap in ((plain, 1 / 2), (trapezoid, 1 / 4)):
        found = camera_results(distances, labels, protocol)
        assert found.pairs[0, 1].mAP == found.cameras[0].mAP == ap


def test_a_camera_whose_queries_missed_draws_has_no_more_than_all():
    labels = Labels([1, 2], [1, 2], [0, 1], [2, 2])
    distances = MatrixDistances(1 - np.eye(2))
    drawn = replace(evaluate(distances, labels), per_query={"rank1": np.array([1.25, 0.75])})
    assert camera_results(distances, labels, result=drawn).cameras[0].rank1 == 1
