"""Learning how long ways take."""

from __future__ import annotations

import numpy as np
from reid_plugins_link.constraints import Rules, constrain
from reid_plugins_link.transitions import Learnt, learn_transitions


def walks(site, seconds, wrong=()):
    """Return a site where people walk from a to b in these times, and identities of them."""
    visits, labels = [], []
    for k, way in enumerate([*seconds, *wrong]):
        first = 1 + 100 * k
        visits += [("a", k, first, first + 4), ("b", k, first + 4 + way, first + 9 + way)]
        labels += [k, k]
    return site(*visits), np.array(labels)


def alike(labels):
    return np.where(labels[:, None] == labels[None, :], 0.3, -0.3)


def learn(tracklets, labels, scores=None):
    scores = alike(labels) if scores is None else scores
    return learn_transitions(tracklets, labels, scores, constrain(tracklets, Rules()))


def test_the_range_is_around_the_median(site) -> None:
    learnt = learn(*walks(site, [6, 7, 8, 9, 10]))
    spread = 3 * 1.4826
    assert learnt == {("a", "b"): Learnt(round(8 - spread, 2), round(8 + spread, 2), 8.0, 5)}


def test_wrong_joins_do_not_widen_it(site) -> None:
    learnt = learn(*walks(site, [6, 7, 8, 9, 10, 8, 8], wrong=[70, 60]))
    assert learnt["a", "b"].high < 15


def test_fewer_than_five_teach_nothing(site) -> None:
    assert learn(*walks(site, [6, 7, 8, 9])) == {}


def test_equal_times_leave_some_room(site) -> None:
    learnt = learn(*walks(site, [6] * 6))
    assert (learnt["a", "b"].low, learnt["a", "b"].high) == (4.5, 7.5)


def test_only_each_other_s_most_similar_teach(site) -> None:
    tracklets, labels = walks(site, [6] * 7)
    scores = alike(labels)
    scores[0, 3] = scores[3, 0] = 0.9  # a/0 is more like b/1 than like b/0
    assert learn(tracklets, labels, scores)["a", "b"].count == 5


def test_joins_below_the_threshold_teach_nothing(site) -> None:
    tracklets, labels = walks(site, [6] * 6)
    assert learn(tracklets, labels, alike(labels) - 0.35) == {}


def test_times_never_fall_below_nothing(site) -> None:
    assert learn(*walks(site, [1, 1, 2, 2, 9]))["a", "b"].low == 0.0
