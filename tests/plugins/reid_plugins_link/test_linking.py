"""From features to identities."""

from __future__ import annotations

import numpy as np
from reid_plugins_link.constraints import Rules
from reid_plugins_link.linking import link_tracklets
from reid_plugins_link.network import Network
from reid_plugins_link.threshold import Threshold


def test_identities_are_numbered_as_they_are_first_seen(site) -> None:
    town = site(("a", 5, 1, 2), ("b", 9, 4, 5), ("a", 2, 6, 7), ("b", 1, 9, 11))
    means = np.eye(2, dtype=np.float32)[[1, 0, 0, 1]]
    linked = link_tracklets(town, means, Threshold(0.5))
    assert [town.name(k) for k in range(4)] == ["a/5", "b/9", "a/2", "b/1"]
    assert linked.identity.tolist() == [1, 2, 2, 1]
    assert linked.count == 2


def test_a_track_of_which_nothing_was_seen_is_joined_to_none(site) -> None:
    town = site(("a", 1, 1, 2), ("b", 1, 4, 5), ("b", 2, 7, 8))
    means = np.array([[1, 0], [0, 0], [1, 0]], np.float32)
    linked = link_tracklets(town, means, Threshold(-0.5))
    assert linked.identity.tolist() == [1, 2, 1]


def test_cameras_may_have_thresholds_of_their_own(site) -> None:
    town = site(("a", 1, 1, 2), ("b", 1, 4, 5), ("c", 1, 7, 8))
    means = np.array([[1, 0], [0.6, 0], [0.6, 0.7]], np.float32)
    own = {("a", "b"): 0.7, ("b", "a"): 0.7}
    assert link_tracklets(town, means, Threshold(0.5)).identity.tolist() == [1, 1, 2]
    assert link_tracklets(town, means, Threshold(0.5, pairs=own)).identity.tolist() == [1, 2, 1]


def test_learnt_times_part_two_who_look_alike(site) -> None:
    """Seven walk from a to b in eight seconds; two look alike, and pass at other times."""
    visits, looks = [], []
    for k in range(7):
        visits += [("a", k, 1 + 50 * k, 5 + 50 * k), ("b", k, 13 + 50 * k, 17 + 50 * k)]
        looks += [k, k]
    visits += [("a", 7, 401, 405), ("b", 7, 470, 475)]
    looks += [7, 7]
    town = site(*visits)
    means = np.eye(8, dtype=np.float32)[looks]
    for learn, identities in ((False, 8), (True, 9)):
        linked = link_tracklets(town, means, Threshold(0.5), Rules(), learn=learn)
        assert linked.count == identities
    assert list(linked.learnt) == [("a", "b")]
    assert linked.learnt["a", "b"].count == 7
    known = Rules(Network(seconds={("a", "b"): (0.0, 100.0)}))
    linked = link_tracklets(town, means, Threshold(0.5), known, learn=True)
    assert linked.count == 8
    assert linked.learnt == {}
