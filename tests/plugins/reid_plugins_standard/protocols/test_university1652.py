import numpy as np
import pytest
from reid_plugins_standard.protocols.university1652 import University1652

from reidcore.evaluation import Labels, MatrixDistances, evaluate
from tests.plugins.reid_plugins_standard.protocols.brute_force import expected
from tests.plugins.reid_plugins_standard.protocols.problems import small_problems


def buildings(q_pids, g_pids):
    return Labels(q_pids, g_pids, [0] * len(q_pids), [1] * len(g_pids))


def test_the_authors_figures_by_hand():
    """Ranks 1 and 3, then 2, then none: trapezoid 1/2 (1 + (2/3 + 1/2)/2), 1/4, and 0."""
    labels = buildings([1, 2, 9], [1, 2, 1, 3])
    distances = [[0.0, 1.0, 2.0, 3.0], [1.0, 2.0, 3.0, 4.0], [0.0, 1.0, 2.0, 3.0]]
    result = evaluate(distances, labels, University1652())
    assert result.ap.tolist() == pytest.approx([(1 + 7 / 12) / 2, 1 / 4, 0])
    assert result.mAP == pytest.approx(((1 + 7 / 12) / 2 + 1 / 4) / 3)
    assert result.cmc.tolist() == pytest.approx([1 / 3, 2 / 3, 2 / 3, 2 / 3])
    assert result.num_valid == 3


def test_one_percent_of_the_gallery_is_the_rank_after_it():
    """Of 951 the eleventh rank, of 150 the third: round(1.5) is 2, counted from 0."""
    for gallery, rank in ((951, 11), (150, 3), (49, 1)):
        labels = buildings([1, 1], [1] + [2] * (gallery - 1))
        distances = np.full((2, gallery), 50.0)
        distances[0, 1:rank] = 0  # just within
        distances[1, 1 : rank + 1] = 0
        distances[:, 0] = 1
        result = evaluate(distances, labels, University1652(), max_rank=2)
        assert result.first_rank.tolist() == [rank, rank + 1]
        assert result.figures["rank1%"] == 0.5
        assert result.conditions["rank1%"] == f"rank {rank}"


def test_items_of_no_building_are_ignored_but_counted():
    labels = buildings([1], [-1] * 50 + [1] * 50)
    distances = np.concatenate([np.zeros(50), np.arange(50)])[None]
    result = evaluate(distances, labels, University1652())
    assert result.first_rank.tolist() == [1]
    assert result.mAP == 1
    assert result.conditions["rank1%"] == "rank 2"
    assert result.conditions["junk"] == "pid -1"
    related = University1652().relations(labels).rows(0, 1)
    assert related.items[~related.match].tolist() == list(range(50))


def test_it_agrees_with_the_definition():
    for problem in small_problems(200, seed=12, gallery=60, people=5):
        labels = buildings(problem.labels.q_pids, problem.labels.g_pids - 1)
        reference = expected(
            problem.distances,
            lambda query, item, labels=labels: labels.q_pids[query] == labels.g_pids[item],
            lambda query, item, labels=labels: labels.g_pids[item] == -1,
            ap="trapezoid",
        )
        found = University1652().evaluate(MatrixDistances(problem.distances), labels)
        assert found.first_rank.tolist() == reference.first_rank
        np.testing.assert_allclose(found.ap, np.nan_to_num(reference.ap), rtol=1e-12)
        assert found.mAP == pytest.approx(sum(np.nan_to_num(reference.ap)) / 6)
        hits = [0 < rank <= 2 for rank in reference.first_rank]
        assert found.figures["rank1%"] == pytest.approx(sum(hits) / 6)
