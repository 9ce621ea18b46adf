"""What a person decided."""

from __future__ import annotations

import numpy as np
import pytest
from reid_plugins_link.constraints import Constraints, Rules
from reid_plugins_link.decisions import contract, groups_of, read_decisions
from reid_plugins_link.linking import link_tracklets
from reid_plugins_link.network import Network
from reid_plugins_link.threshold import Threshold

from reidcore.errors import DataError

HEAD = "similarity,camera_a,track_a,camera_b,track_b,decision\n"


@pytest.fixture
def town(site):
    """Three visits that may all be one, and a fourth at the time of the first."""
    return site(("a", 1, 1, 5), ("a", 2, 2, 4), ("b", 1, 9, 12), ("c", 1, 20, 22))


@pytest.fixture
def decide(town, tmp_path):
    def decide(*rows):
        path = tmp_path / "undecided.csv"
        path.write_text(HEAD + "".join(f"0.5,{row}\n" for row in rows))
        return read_decisions(path, town)

    return decide


def linked(town, means, decisions=(), rules=None):
    threshold = Threshold(0.5)
    return link_tracklets(
        town, np.array(means, np.float32), threshold, rules, decisions=decisions
    ).identity.tolist()


ALIKE = [[1, 0, 0], [0, 1, 0], [0.9, 0, 0.1], [0, 0, 1]]  # a/1 and b/1


def test_without_decisions_looks_decide(town) -> None:
    assert linked(town, ALIKE) == [1, 2, 1, 3]


def test_same_joins_and_different_parts(town, decide) -> None:
    same, different = decide("b,1,c,1,same", "a,1,b,1,Different")
    assert (same.is_same, different.is_same) == (True, False)
    assert linked(town, ALIKE, [same]) == [1, 2, 3, 3]  # two means of 0.9 and 0 are below 0.5
    assert linked(town, ALIKE, [different]) == [1, 2, 3, 4]


def test_tracks_decided_to_be_the_same_are_one_by_their_mean(town, decide) -> None:
    means = [[1, 0, 0], [0, 1, 0], [0.9, 0, 0.1], [0.3, 0, 0.8]]
    assert linked(town, means) == [1, 2, 1, 3]
    assert linked(town, means, decide("b,1,c,1,same")) == [1, 2, 1, 1]


def test_tracks_decided_to_be_the_same_count_as_two(site, tmp_path) -> None:
    """The last is like the first, which is one with both of them; of all three it is unlike."""
    visits = site(("a", 1, 1, 5), ("b", 1, 9, 12), ("c", 1, 20, 22), ("d", 1, 30, 32))
    means = [[0.9, 0.6], [1, 0], [1, 0], [0.3, 0.88]]
    (tmp_path / "decided.csv").write_text(f"{HEAD}1,b,1,c,1,same\n")
    decisions = read_decisions(tmp_path / "decided.csv", visits)
    assert linked(visits, means, decisions) == linked(visits, means) == [1, 1, 1, 2]


def test_a_person_s_word_goes_before_the_times(town, decide) -> None:
    rules = Rules(Network(unreachable=frozenset({("a", "b"), ("a", "c"), ("b", "c")})))
    assert linked(town, ALIKE, rules=rules) == [1, 2, 3, 4]
    assert linked(town, ALIKE, decide("b,1,a,1,same"), rules) == [1, 2, 1, 3]


def test_rows_without_a_decision_are_passed_over(decide) -> None:
    assert decide("a,1,b,1,", "a,1,c,1,  ") == []


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("a,1,b,1,sam", r"undecided\.csv:2 decides 'sam'. Did you mean 'same'"),
        ("a,7,b,1,same", "the track a/7, which is not there"),
        ("a,1,a,1,same", "a track and itself"),
        ("a,x,b,1,same", "the track a/x, which is not there"),
    ],
)
def test_a_wrong_row_is_told(decide, row, told) -> None:
    with pytest.raises(DataError, match=told):
        decide(row)


def test_a_file_of_other_columns_is_told(town, tmp_path) -> None:
    (tmp_path / "x.csv").write_text("camera_a,track_a\n")
    with pytest.raises(DataError, match="no column 'camera_b'"):
        read_decisions(tmp_path / "x.csv", town)
    with pytest.raises(DataError, match="cannot be read"):
        read_decisions(tmp_path / "none.csv", town)


def test_one_camera_cannot_see_one_person_twice_whoever_says_so(town, decide) -> None:
    with pytest.raises(DataError, match=r"csv:2: a/1 and a/2 would be one identity"):
        linked(town, ALIKE, decide("a,1,a,2,same"))
    with pytest.raises(DataError, match=r"csv:2, .*csv:3: a/1 and a/2 would be"):
        linked(town, ALIKE, decide("a,1,b,1,same", "b,1,a,2,same"))


def test_decisions_that_contradict_one_another_are_refused(town, decide) -> None:
    rows = ("a,1,b,1,same", "b,1,c,1,same", "a,1,c,1,different")
    with pytest.raises(DataError, match=r"csv:4 says that a/1 and c/1 are different"):
        linked(town, ALIKE, decide(*rows))


def test_groups_have_mean_scores_and_are_forbidden_where_one_is(town, decide) -> None:
    together = groups_of(decide("b,1,c,1,same"), 4)
    assert together.tolist() == [0, 1, 2, 2]
    scores = np.arange(16.0).reshape(4, 4)
    scores += scores.T
    follows = np.triu(np.ones((4, 4), bool), k=1)
    forbidden = np.zeros((4, 4), bool)
    forbidden[0, 3] = forbidden[3, 0] = True
    found = contract(together, scores, Constraints(follows, forbidden))
    assert found.scores[0, 2] == (scores[0, 2] + scores[0, 3]) / 2
    assert found.scores[2, 2] == scores[2:, 2:].mean()
    assert found.constraints.forbidden.tolist() == [
        [False, False, True], [False, False, False], [True, False, False],
    ]  # fmt: skip
    assert found.constraints.follows.tolist() == np.triu(np.ones((3, 3), bool), k=1).tolist()
