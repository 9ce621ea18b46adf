"""The rule of Market-1501 as it is written out, which other protocols differ from."""

import pytest

from reidcore.evaluation import AnyCamera, Labels, Market1501, evaluate
from tests.plugins.reid_plugins_standard.protocols.brute_force import (
    assert_protocol,
    average_precision,
    expected,
)
from tests.plugins.reid_plugins_standard.protocols.problems import small_problems


def test_the_definition_finds_what_was_worked_by_hand():
    """Junk at 0; a non-match tied with the first match at 1; the second match at 2."""
    distances = [[0.0, 1.0, 1.0, 2.0, 3.0]]
    labels = Labels([1], [1, 1, 2, 1, 2], [0], [0, 1, 1, 2, 0])

    def is_match(query, item):
        return labels.g_pids[item] == 1 and labels.g_camids[item] != 0

    def is_junk(query, item):
        return labels.g_pids[item] == 1 and labels.g_camids[item] == 0

    reference = expected(distances, is_match, is_junk)
    assert reference.first_rank == [2]
    assert reference.ap == [pytest.approx((1 / 2 + 2 / 3) / 2)]
    assert reference.inp == [pytest.approx(2 / 3)]
    assert expected(distances, is_match, is_junk, ties="optimistic").first_rank == [1]


@pytest.mark.parametrize(
    ("places", "plain", "trapezoid"),
    [([1], 1, 1), ([2], 1 / 2, 1 / 4), ([1, 3, 6], 0.722, 0.678)],
)
def test_both_kinds_of_average_precision_by_hand(places, plain, trapezoid):
    assert average_precision(places) == pytest.approx(plain, abs=5e-4)
    assert average_precision(places, "trapezoid") == pytest.approx(trapezoid, abs=5e-4)


def test_market1501_and_any_camera_agree_with_the_definition():
    ranked = 0
    for problem in small_problems(seed=1):
        labels = problem.labels

        def same_person(query, item, labels=labels):
            return labels.q_pids[query] == labels.g_pids[item]

        def own_camera(query, item, labels=labels):
            same = labels.q_camids[query] == labels.g_camids[item]
            return same and labels.q_pids[query] == labels.g_pids[item]

        ranked += assert_protocol(Market1501(), problem, same_person, own_camera)
        assert_protocol(AnyCamera(), problem, same_person)
    assert ranked > 190


def test_problems_have_ties_and_queries_without_a_match():
    some = list(small_problems(50, queries=8, gallery=20, people=6))
    skipped = [evaluate(p.distances, p.labels, AnyCamera()).num_skipped for p in some]
    assert max(skipped) > 0
    assert all(len(set(p.distances.flat)) < p.distances.size for p in some)
