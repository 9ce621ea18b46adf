import numpy as np
import pytest

from reidcore.errors import DataError
from reidcore.evaluation import (
    AnyCamera,
    EvaluationProtocol,
    Labels,
    Market1501,
    MatrixDistances,
    Related,
    evaluate,
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
