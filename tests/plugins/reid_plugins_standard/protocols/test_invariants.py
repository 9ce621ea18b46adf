"""What holds of every rule that draws no gallery items, whatever the problem."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reidcore.errors import DataError
from reidcore.evaluation import AnyCamera, Labels, Market1501, MatrixDistances, evaluate
from reidcore.registry import choose
from reidcore.testing import conformance
from tests.plugins.reid_plugins_standard.protocols.problems import small_problem

RULES = {
    "any_camera": {},
    "clothes": {"mode": "cc"},
    "market1501": {},
    "open_set": {"share": 0.3, "draws": 3},
    "prcc": {"gallery": "all"},
    "reassociation": {"every": 1, "gap": 1},
    "soccernet": {},
    "university1652": {},
    "veri": {"to": "track"},
    "verification": {},
    "video": {},
    "wildlife": {"setting": "time_aware"},
}
COLUMNS = {"clothes": 2, "action": 2, "track": 3, "sequence": 1, "frame": 3, "date": 3}


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), name=st.sampled_from(sorted(RULES)))
def test_the_order_of_the_gallery_and_the_scale_of_distances_do_not_matter(seed, name):
    rng = np.random.default_rng(seed)
    problem = small_problem(rng, gallery=20, **COLUMNS)
    rule = choose("protocols", name, RULES[name]).make()
    order = rng.permutation(20)
    changed = MatrixDistances(2 * problem.distances[:, order] + 1)
    try:
        found = rule.evaluate(MatrixDistances(problem.distances), problem.labels)
    except DataError:
        return
    again = rule.evaluate(changed, problem.labels.take(None, order))
    np.testing.assert_array_equal(again.first_rank, found.first_rank)
    np.testing.assert_array_equal(again.ap, found.ap)
    np.testing.assert_array_equal(again.cmc, found.cmc)
    assert again.figures == pytest.approx(found.figures, nan_ok=True)


@pytest.mark.parametrize("name", ["market1501", "occluded", "veriwild", "any_camera", "partial"])
def test_benchmarks_of_the_usual_rule_by_hand(name):
    """The query's own camera has its person at 0; a stranger is at 1, and the person again at 2."""
    rule = choose("protocols", name).make()
    labels = Labels([1], [1, 2, 1], [0], [0, 1, 1])
    result = evaluate([[0.0, 1.0, 2.0]], labels, rule)
    if name in ("any_camera", "partial"):
        assert type(rule) is AnyCamera
        assert result.mAP == pytest.approx((1 + 2 / 3) / 2)
        assert result.conditions["junk"] == "none"
    else:
        assert type(rule) is Market1501
        assert result.mAP == 1 / 2
        assert result.conditions["junk"] == "own camera"


def test_candidates_cost_what_they_are_not_what_the_gallery_is():
    """A distance is asked for each candidate, and for nothing else."""

    problem = small_problem(np.random.default_rng(0), gallery=40, action=4)
    numbers = []

    class Asked(MatrixDistances):
        def pairs(self, rows, columns):
            numbers.append(len(rows))
            return problem.distances[rows, columns]

        def blocks(self, rows=None):
            raise AssertionError("a block of all distances was asked for")

    rule = choose("protocols", "soccernet").make()
    rule.evaluate(Asked(problem.distances), problem.labels)
    asked, known = problem.labels.column("action")
    assert numbers == [(asked[:, None] == known).sum()]


class TestClothes(conformance.ProtocolConformance):
    """Everybody changes before every picture."""

    name = "clothes"

    def columns(self, count):
        return {"clothes": np.arange(count) + count}


class TestSoccerNet(conformance.ProtocolConformance):
    """All in one action."""

    name = "soccernet"

    def columns(self, count):
        return {"action": np.zeros(count, dtype=int)}


class TestReassociation(conformance.ProtocolConformance):
    """The smaller side, the queries, is seen at frame 0, and the other one 30 frames later."""

    name = "reassociation"

    def columns(self, count):
        return {"sequence": np.zeros(count, dtype=int), "frame": np.full(count, 30 * (count > 15))}


class TestRegDB(conformance.ProtocolConformance):
    """The smaller side, the queries, is visible."""

    name = "regdb"

    def columns(self, count):
        return {"modality": np.full(count, "thermal" if count > 15 else "visible")}
