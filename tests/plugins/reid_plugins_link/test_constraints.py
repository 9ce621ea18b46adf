"""What time and place permit."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reid_plugins_link.constraints import Rules, constrain, reachable
from reid_plugins_link.network import Network, both_ways


def permitted(tracklets, rules) -> set[tuple[str, str]]:
    """Return the pairs of names that may be one identity, the earlier first."""
    may = ~constrain(tracklets, rules).forbidden
    return {
        (tracklets.name(a), tracklets.name(b)) for a, b in np.argwhere(np.triu(may, k=1)).tolist()
    }


def rules(**known) -> Rules:
    tolerance = known.pop("tolerance", 0.0)
    rejoin = known.pop("rejoin", math.inf)
    return Rules(Network(**known), rejoin=rejoin, tolerance=tolerance)


def test_one_camera_sees_nobody_twice_at_a_time(site) -> None:
    town = site(("a", 1, 1, 5), ("a", 2, 5, 9), ("a", 3, 10, 12))
    assert permitted(town, rules()) == {("a/1", "a/3"), ("a/2", "a/3")}


def test_two_cameras_do_not_see_one_at_a_time_unless_they_overlap(site) -> None:
    town = site(("a", 1, 1, 5), ("b", 1, 3, 8))
    assert permitted(town, rules()) == set()
    assert permitted(town, rules(tolerance=2.0)) == {("a/1", "b/1")}
    overlapping = both_ways([("a", "b")])
    assert permitted(town, rules(overlaps=overlapping)) == {("a/1", "b/1")}


def test_ways_take_their_time(site) -> None:
    town = site(("a", 1, 1, 5), ("b", 1, 7, 8), ("b", 2, 10, 11), ("b", 3, 30, 31))
    known = {("a", "b"): (4.0, 8.0)}
    assert permitted(town, rules(seconds=known, rejoin=0)) == {("a/1", "b/2")}


def test_late_is_possible_by_way_of_another_track(site) -> None:
    """Somebody seen at a and, long after, at b was at c meanwhile, or is somebody else."""
    known = {("a", "b"): (1.0, 5.0), ("a", "c"): (1.0, 5.0), ("c", "b"): (1.0, 5.0)}
    alone = site(("a", 1, 1, 5), ("b", 1, 20, 22))
    between = site(("a", 1, 1, 5), ("b", 1, 20, 22), ("c", 1, 9, 16))
    assert permitted(alone, rules(seconds=known)) == set()
    assert ("a/1", "b/1") in permitted(between, rules(seconds=known))


def test_what_cannot_be_reached_is_reached_through_others_alone(site) -> None:
    apart = frozenset({("a", "c"), ("c", "a")})
    town = site(("a", 1, 1, 2), ("c", 1, 9, 10))
    assert permitted(town, rules(unreachable=apart)) == set()
    town = site(("a", 1, 1, 2), ("b", 1, 4, 5), ("c", 1, 9, 10))
    assert ("a/1", "c/1") in permitted(town, rules(unreachable=apart))


def test_tracks_of_one_camera_are_rejoined_within_their_time(site) -> None:
    town = site(("a", 1, 1, 5), ("a", 2, 8, 9), ("a", 3, 40, 41))
    assert permitted(town, rules(rejoin=3)) == {("a/1", "a/2")}
    assert permitted(town, rules(rejoin=0)) == set()


def test_clocks_that_begin_later_are_minded(site) -> None:
    visits = (("a", 1, 1, 5), ("b", 1, 1, 5))
    assert permitted(site(*visits), rules()) == set()
    assert permitted(site(*visits, starts={"b": 6.0}), rules()) == {("a/1", "b/1")}


def test_what_was_learnt_does_not_replace_what_is_known() -> None:
    known = rules(seconds={("a", "b"): (1.0, 2.0)})
    learnt = known.with_learnt({("a", "b"): (5.0, 6.0), ("b", "a"): (7.0, 8.0)}).learnt
    assert learnt == {("b", "a"): (7.0, 8.0)}


@given(st.integers(0, 12), st.integers(0, 2**32), st.floats(0, 1))
def test_reachable_is_the_transitive_closure(count, seed, density) -> None:
    drawn = np.random.default_rng(seed).random((count, count)) < density
    follows = np.triu(drawn, k=1)
    slow = follows.copy()
    for middle in range(count):
        slow |= np.outer(slow[:, middle], slow[middle])
    np.testing.assert_array_equal(reachable(follows), slow)


def test_a_decided_step_is_permitted(site) -> None:
    town = site(("a", 1, 1, 5), ("b", 1, 3, 8), ("b", 2, 9, 10))
    forbidden = constrain(town, rules(), [(0, 1)]).forbidden
    assert not forbidden.any()


@pytest.mark.parametrize("seed", range(3))
def test_forbidden_is_symmetric_and_never_of_a_track_and_itself(site, seed) -> None:
    draw = np.random.default_rng(seed)
    visits = [
        ("abc"[draw.integers(3)], k, int(first), int(first + draw.integers(1, 9)))
        for k, first in enumerate(draw.integers(1, 40, 12), 1)
    ]
    found = constrain(site(*visits), rules(seconds={("a", "b"): (2.0, 9.0)}))
    np.testing.assert_array_equal(found.forbidden, found.forbidden.T)
    assert not found.forbidden.diagonal().any()
    assert not np.tril(found.follows).any()
