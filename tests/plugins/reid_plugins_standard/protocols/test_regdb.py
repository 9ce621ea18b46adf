from collections import Counter

import numpy as np
import pytest
from reid_plugins_standard.protocols.regdb import RegDB

from reidcore.errors import DataError, UnknownNameError
from reidcore.evaluation import Labels, MatrixDistances, evaluate
from tests.plugins.reid_plugins_standard.protocols.brute_force import assert_agree, expected
from tests.plugins.reid_plugins_standard.protocols.problems import small_problems

MODALITIES = np.array(["visible", "thermal"])


def labelled(q_pids, g_pids, q_modality, g_modality):
    return Labels(
        q_pids,
        g_pids,
        [0] * len(q_pids),
        [0] * len(g_pids),
        {"modality": np.array(q_modality)},
        {"modality": np.array(g_modality)},
    )


def test_both_directions_by_hand():
    labels = labelled([1, 1], [1, 2, 1, 1], ["visible", "thermal"], ["thermal"] * 3 + ["visible"])
    distances = [[3.0, 2.0, 1.0, 0.0], [0.0, 0.0, 0.0, 5.0]]
    one = evaluate(distances, labels, RegDB())
    assert one.first_rank.tolist() == [1, 0]
    assert one.mAP == pytest.approx((1 + 2 / 3) / 2)
    assert one.num_gallery == 3
    other = evaluate(distances, labels, RegDB("thermal_to_visible"))
    assert other.first_rank.tolist() == [0, 1]
    assert other.conditions["direction"] == "thermal_to_visible"
    assert other.conditions["junk"] == "none"


def test_it_agrees_with_the_definition():
    outcomes = Counter()
    for problem in small_problems(200, seed=11, modality=2):
        old = problem.labels
        q_modality, g_modality = (MODALITIES[each] for each in old.column("modality"))
        labels = labelled(old.q_pids, old.g_pids, q_modality, g_modality)

        def is_match(query, item, labels=labels, q=q_modality, g=g_modality):
            return (
                q[query] == "visible"
                and g[item] == "thermal"
                and labels.q_pids[query] == labels.g_pids[item]
            )

        reference = expected(
            problem.distances, is_match, lambda query, item, g=g_modality: g[item] == "visible"
        )
        outcomes[bool(reference.valid)] += 1
        if reference.valid:
            found = RegDB().evaluate(MatrixDistances(problem.distances), labels)
            assert_agree(found, reference)
        else:
            with pytest.raises(DataError):
                evaluate(problem.distances, labels, RegDB())
    assert outcomes[True] > 150


def test_a_side_of_the_other_modality_is_told():
    labels = labelled([1], [1], ["thermal"], ["visible"])
    with pytest.raises(DataError, match="no query image is visible; they are 'thermal'"):
        evaluate([[0.0]], labels, RegDB())
    assert evaluate([[0.0]], labels, RegDB("thermal_to_visible")).mAP == 1


def test_the_column_and_the_direction_are_checked():
    with pytest.raises(UnknownNameError, match="modality"):
        evaluate([[0.0]], Labels([1], [1], [0], [1]), RegDB())
    with pytest.raises(UnknownNameError, match="thermal_to_visible"):
        RegDB("thermal_to_visable")
