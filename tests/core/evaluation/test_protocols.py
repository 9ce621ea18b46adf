from dataclasses import replace

import numpy as np
import pytest
import torch

from reidcore.errors import DataError, PluginDefectError, UnknownNameError, UserError
from reidcore.evaluation import (
    AnyCamera,
    Cuhk03,
    EvaluationProtocol,
    Labels,
    Market1501,
    MatrixDistances,
    Pooled,
    Related,
    RerankedDistances,
    evaluate,
    evaluate_features,
)


def test_a_protocol_of_ones_own_needs_only_its_relations():
    class EveryCamera(EvaluationProtocol):
        """Ignores nothing: the query's camera counts too."""

        def relations(self, labels):
            related = Market1501().relations(labels)

            class All:
                def rows(self, start, stop):
                    some = related.rows(start, stop)
                    return Related(some.first, some.items, np.ones(len(some.items), dtype=bool))

            return All()

    labels = Labels([1], [1, 2, 1], [0], [0, 1, 1])
    distances = [[0.0, 1.0, 2.0]]
    assert evaluate(distances, labels).first_rank.tolist() == [2]
    assert evaluate(distances, labels, EveryCamera()).first_rank.tolist() == [1]


def test_a_protocol_may_evaluate_in_its_own_way():
    class Constant(Market1501):
        def evaluate(self, distances, labels, max_rank=50, ties="pessimistic"):
            return distances.shape, max_rank, ties

    labels = Labels([1], [1], [0], [1])
    assert evaluate([[0.0]], labels, Constant(), 7, "optimistic") == ((1, 1), 7, "optimistic")


def test_labels_of_other_lengths_are_refused():
    labels = Labels([1], [1, 2], [0], [1, 1])
    with pytest.raises(DataError, match="1 query and 3 gallery items, labels for 1 and 2"):
        Market1501().evaluate(MatrixDistances(np.zeros((1, 3))), labels)


def test_without_cameras_every_image_of_the_identity_is_a_match():
    labels = Labels([1, 2, 9], [1, 2, 1, 3], [0, 0, 0], [0, 0, 0, 0])
    distances = [[0.0, 1.0, 3.0, 2.0], [1.0, 2.0, 3.0, 4.0], [1.0, 1.0, 1.0, 1.0]]
    with pytest.raises(DataError):
        evaluate(distances, labels)
    result = evaluate(distances, labels, AnyCamera())
    assert result.valid.tolist() == [True, True, False]
    assert result.first_rank.tolist()[:2] == [1, 2]
    assert result.ap[:2].tolist() == [(1 + 2 / 4) / 2, 1 / 2]


class InClothes(Market1501):
    """Needs a column."""

    needs = ("clothes",)


PEOPLE = {"q_pids": [1, 2], "g_pids": [1, 2, 1], "q_camids": [0, 0], "g_camids": [1, 1, 1]}
FEATURES = np.eye(3)[:2], np.eye(3)


def test_a_protocol_is_told_what_it_needs_and_lacks():
    with pytest.raises(UnknownNameError, match=r"InClothes needs .*'clothes'.*the query has no"):
        evaluate_features(*FEATURES, *PEOPLE.values(), protocol=InClothes())
    columns = {"cloths": ([0, 1], [0, 1, 2])}
    with pytest.raises(UnknownNameError, match=r"it has cloths\. Did you mean 'cloths'"):
        evaluate_features(*FEATURES, *PEOPLE.values(), protocol=InClothes(), columns=columns)
    columns = {"clothes": ([0, 1], [0, 1, 2])}
    given = evaluate_features(*FEATURES, *PEOPLE.values(), protocol=InClothes(), columns=columns)
    assert given.num_valid == 2


def test_what_a_column_says_is_part_of_what_the_figures_are():
    told = []
    for worn in ([0, 1], np.array([0, 1], dtype=np.int8), [1, 1]):
        columns = {"clothes": (worn, [0, 1, 2]), "other": ([0, 1], [0, 1, 2])}
        found = evaluate_features(
            *FEATURES, *PEOPLE.values(), protocol=InClothes(), columns=columns
        )
        told.append(found.conditions["columns"])
    assert told[0].keys() == {"clothes"}
    assert told[0] == told[1] != told[2]
    assert "columns" not in evaluate(np.eye(2, 3), Labels(**PEOPLE)).conditions


def test_a_protocol_says_what_its_figures_are():
    found = evaluate_features(*FEATURES, *PEOPLE.values(), metric="cosine")
    assert found.conditions == {
        "ap": "plain",
        "unmatched": "skipped",
        "junk": "own camera",
        "ties": "pessimistic",
        "metric": "cosine",
    }
    assert evaluate(np.eye(2, 3), Labels(**PEOPLE), AnyCamera()).conditions["junk"] == "none"
    reranked = RerankedDistances.of_features(*map(torch.from_numpy, FEATURES), k1=2, k2=1)
    found = evaluate(reranked, Labels(**PEOPLE), Cuhk03(), ties="optimistic").conditions
    assert found["rerank"] == {"k1": 2, "k2": 1, "lambda": 0.3}
    assert "in expectation" in found["gallery"]
    assert (found["metric"], found["ties"]) == ("euclidean", "optimistic")


def test_what_one_evaluation_says_goes_before_what_the_protocol_says_of_all():
    class Sometimes(Market1501):
        def evaluate(self, distances, labels, max_rank=50, ties="pessimistic"):
            found = super().evaluate(distances, labels, max_rank, ties)
            return replace(found, conditions={"junk": "nothing today"})

    found = evaluate(np.eye(2, 3), Labels(**PEOPLE), Sometimes()).conditions
    assert (found["junk"], found["ap"]) == ("nothing today", "plain")


def test_the_kind_of_ap_is_the_protocols_own_unless_one_is_asked_for():
    class Oxford(Market1501):
        ap = "trapezoid"

    protocol = Oxford()
    distances, labels = [[2.0, 1.0]], Labels([1], [1, 2], [0], [1, 1])  # the match is second
    for asked, said, ap in ((None, "trapezoid", 0.25), ("plain", "plain", 0.5)):
        found = evaluate(distances, labels, protocol, ap=asked)
        assert (found.conditions["ap"], found.mAP) == (said, ap)
    assert protocol.ap == "trapezoid"


def test_a_protocol_that_takes_no_kind_of_ap_says_so():
    class Foreign:
        def evaluate(self, distances, labels, max_rank, ties):
            return Market1501().evaluate(distances, labels, max_rank, ties)

    labels = Labels(**PEOPLE)
    assert evaluate(np.eye(2, 3), labels, Foreign()).conditions == {"ties": "pessimistic"}
    with pytest.raises(UserError, match="Foreign has a way of its own to compute AP"):
        evaluate(np.eye(2, 3), labels, Foreign(), ap="plain")


class Pairs(Market1501):
    """Averages each two gallery images."""

    def pool(self, query, gallery, labels):
        rows = np.arange(0, len(gallery), 2)
        return Pooled(query, gallery.reshape(-1, 2, gallery.shape[1]).mean(1), np.arange(2), rows)


def test_a_protocol_may_pool_features_of_groups():
    query = np.array([[1.0, 0.0], [0.0, 1.0]])
    gallery = np.array([[3.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    labels = [[1, 2], [1, 1, 2, 2], [0, 0], [1, 1, 1, 1]]
    found = evaluate_features(query, gallery, *labels, protocol=Pairs())
    assert (found.num_gallery, found.mAP) == (2, 1.0)


def test_groups_without_a_row_for_each_are_the_protocols_defect():
    class Short(Pairs):
        def pool(self, query, gallery, labels):
            return Pooled(query, gallery[:2], np.arange(2), np.arange(1))

    labels = [[1, 2], [1, 1, 2, 2], [0, 0], [1, 1, 1, 1]]
    with pytest.raises(PluginDefectError, match=r"pooled gallery features \(2, 2\) for 1 group"):
        evaluate_features(np.eye(2), np.ones((4, 2)), *labels, protocol=Short())


def test_intervals_come_with_the_figures_and_with_ranks_that_are_asked_for():
    rng = np.random.default_rng(0)
    labels = Labels(np.arange(30) % 10, np.arange(60) % 10, np.zeros(30), np.ones(60))
    found = evaluate(rng.random((30, 60)), labels, ranks=(1, 3))
    assert list(found.intervals) == ["mAP", "mINP", "rank1", "rank3"]
    for name, value in found.summary((1, 3)).items():
        low, high = found.intervals[name]
        assert low < value < high
