"""Rankings among candidates alone: SoccerNet's actions, and people found again after a gap."""

import numpy as np
import pytest
import torch
from reid_plugins_standard.protocols.reassociation import Reassociation
from reid_plugins_standard.protocols.soccernet import SoccerNet

from reidcore.errors import DataError, UnknownNameError, UserError
from reidcore.evaluation import Labels, evaluate, evaluate_features
from tests.plugins.reid_plugins_standard.protocols.brute_force import assert_protocol
from tests.plugins.reid_plugins_standard.protocols.problems import small_problems


def soccer(q_actions, g_actions, q_pids, g_pids):
    zeros = [np.zeros(len(side), dtype=int) for side in (q_pids, g_pids)]
    columns = [{"action": np.array(side)} for side in (q_actions, g_actions)]
    return Labels(q_pids, g_pids, *zeros, *columns)


def test_other_actions_neither_match_nor_stand_in_the_way():
    labels = soccer([7], [8, 7, 7, 8], [1], [2, 3, 1, 1])
    result = evaluate([[0.0, 1.0, 2.0, 0.5]], labels, SoccerNet())
    assert result.first_rank.tolist() == [2]
    assert result.mAP == 1 / 2
    assert result.cmc.tolist() == [0, 1]


def test_actions_may_have_names_and_queries_no_match_in_theirs():
    labels = soccer(["goal", "foul"], ["foul", "goal"], [1, 2], [1, 1])
    result = evaluate([[0.0, 1.0], [0.0, 1.0]], labels, SoccerNet())
    assert result.valid.tolist() == [True, False]


def test_soccernet_agrees_with_the_definition():
    ranked = 0
    for problem in small_problems(seed=4, gallery=24, action=3):
        labels = problem.labels

        def together(q, g, labels=labels):
            return labels.q_columns["action"][q] == labels.g_columns["action"][g]

        def is_match(q, g, labels=labels):
            return together(q, g) and labels.q_pids[q] == labels.g_pids[g]

        ranked += assert_protocol(SoccerNet(), problem, is_match, lambda q, g: not together(q, g))
    assert ranked > 190


def test_what_pictures_are_told_is_what_is_ranked():
    for problem in small_problems(20, seed=5, action=2):
        related = SoccerNet().relations(problem.labels).rows(2, 5)
        actions = problem.labels.q_columns["action"], problem.labels.g_columns["action"]
        for row, query in enumerate(range(2, 5)):
            span = slice(related.first[row], related.first[row + 1])
            items, match = related.items[span], related.match[span]
            same = actions[0][query] == actions[1]
            mine = problem.labels.q_pids[query] == problem.labels.g_pids
            assert sorted(items[match]) == np.flatnonzero(same & mine).tolist()
            assert sorted(items[~match]) == np.flatnonzero(~same).tolist()


def test_features_give_what_their_distances_give():
    torch.manual_seed(0)
    query, gallery = torch.randn(5, 8), torch.randn(30, 8)
    labels = soccer(np.arange(5) % 2, np.arange(30) % 2, np.arange(5) % 3, np.arange(30) % 3)
    columns = {"action": (labels.q_columns["action"], labels.g_columns["action"])}
    sides = (labels.q_pids, labels.g_pids, labels.q_camids, labels.g_camids)
    by_features = evaluate_features(query, gallery, *sides, protocol=SoccerNet(), columns=columns)
    by_matrix = evaluate(torch.cdist(query, gallery), labels, SoccerNet())
    assert by_features.ap.tolist() == by_matrix.ap.tolist()


def test_a_query_does_not_find_its_own_file_nor_a_distance_that_is_no_number():
    labels = Labels(
        [1], [1, 2, 1], [0], [0, 0, 0], *({"action": np.zeros(n)} for n in (1, 3)), [5], [5, 6, 7]
    )
    result = evaluate([[0.0, 1.0, 2.0]], labels, SoccerNet())
    assert result.first_rank.tolist() == [2]
    assert result.own_files.tolist() == [0]
    with pytest.raises(DataError, match="query 0 to gallery item 1 is NaN"):
        evaluate([[0.0, np.nan, 2.0]], labels, SoccerNet())


def crops(sequence, frames, pids):
    columns = {"sequence": np.array(sequence), "frame": np.array(frames)}
    camids = np.zeros(len(pids), dtype=int)
    return Labels(pids, pids, camids, camids, columns, columns)


def test_people_are_found_again_by_hand():
    """Frames 0 and 60 ask; 30 frames later are 1 and 2, then 1 alone, which is too few."""
    labels = crops(["a"] * 7, [0, 0, 30, 30, 60, 90, 31], [1, 2, 1, 2, 1, 1, 1])
    distances = np.full((7, 7), 9.0)
    distances[0, 2:4] = 2.0, 1.0  # person 1 is nearer to person 2
    distances[1, 2:4] = 1.5, 1.0
    result = evaluate(distances, labels, Reassociation())
    assert result.valid.tolist() == [True, True, *[False] * 5]
    assert result.first_rank.tolist()[:2] == [2, 1]
    assert result.cmc.tolist() == [1 / 2, 1]
    assert result.figures == {"MRR": 3 / 4}
    assert result.intervals["MRR"][0] <= 3 / 4 <= result.intervals["MRR"][1]


def test_a_single_candidate_may_be_allowed():
    labels = crops(["a"] * 4, [0, 30, 30, 60], [1, 1, 2, 2])
    result = evaluate(np.zeros((4, 4)), labels, Reassociation(every=30, gap=30, candidates=1))
    assert result.valid.tolist() == [True, False, True, False]


def test_reassociation_agrees_with_the_definition():
    ranked = 0
    for problem in small_problems(seed=6, gallery=40, sequence=2, frame=8):
        labels = problem.labels
        frames, later = labels.column("frame")
        compared = np.equal.outer(frames + 2, later) & np.equal.outer(*labels.column("sequence"))
        compared &= ((frames % 3 == 0) & (compared.sum(1) >= 2))[:, None]
        match = (compared & np.equal.outer(labels.q_pids, labels.g_pids)).tolist()
        left_out = (~compared).tolist()
        ranked += assert_protocol(
            Reassociation(every=3, gap=2),
            problem,
            lambda query, item, table=match: table[query][item],
            lambda query, item, table=left_out: table[query][item],
        )
    assert ranked > 100


def test_what_reassociation_cannot_work_with_is_told():
    labels = crops(["a", "a"], [0.5, 1.5], [1, 1])
    with pytest.raises(DataError, match="'frame' is float64, no whole numbers"):
        evaluate(np.zeros((2, 2)), labels, Reassociation())
    with pytest.raises(UnknownNameError, match="Reassociation needs the column 'sequence'"):
        evaluate([[0.0]], Labels([1], [1], [0], [1]), Reassociation())
    with pytest.raises(UserError, match="gap is 0"):
        Reassociation(gap=0)


def test_an_infinite_distance_has_no_rival_beyond_the_end_of_a_list():
    """The first query has one candidate, its match; the second has two."""
    actions = {"action": np.array([1, 2])}, {"action": np.array([1, 2, 2])}
    labels = Labels([1, 2], [1, 2, 3], [0, 0], [1, 1, 1], *actions)
    distances = [[np.inf, 0.0, 0.0], [0.0, 1.0, 2.0]]
    assert evaluate(distances, labels, SoccerNet()).first_rank.tolist() == [1, 1]
