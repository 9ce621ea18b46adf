"""From features and rules to identities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from reid_plugins_link.boxes import Float64, Int64
from reid_plugins_link.constraints import Constraints, Mask, Rules, constrain
from reid_plugins_link.decisions import Decision, check_decisions, contract, groups_of
from reid_plugins_link.features import Float32
from reid_plugins_link.grouping import group
from reid_plugins_link.network import Pair
from reid_plugins_link.threshold import Threshold
from reid_plugins_link.tracklets import Tracklets
from reid_plugins_link.transitions import Learnt, learn_transitions

_ROUNDS = 2  # of learning how long ways take: what is learnt first makes better joins


@dataclass(frozen=True, eq=False)
class Linked:
    """Identities of all tracks.

    Attributes:
        identity: (T,) base 1, in the order in which identities are first seen.
        similarity: (T, T) the mean similarity of the crops of two tracks.
        scores: (T, T) similarity minus the threshold.
        constraints: what time and place permit, in the end.
        learnt: how long ways take, where it was learnt.
    """

    identity: Int64
    similarity: Float64
    scores: Float64
    constraints: Constraints
    learnt: Mapping[Pair, Learnt]

    @property
    def count(self) -> int:
        """Number of identities."""
        return int(self.identity.max(initial=0))


def link_tracklets(
    tracklets: Tracklets,
    means: Float32,
    threshold: Threshold,
    rules: Rules | None = None,
    *,
    method: str = "average",
    learn: bool = False,
    decisions: Sequence[Decision] = (),
) -> Linked:
    """Join tracks into identities.

    Args:
        tracklets: T tracks.
        means: (T, D) of `features.Described.means`; zeros for a track of which nothing was seen.
        threshold: from which similarity tracks are joined.
        rules: what time and place permit.
        method: ``average`` or ``chain``, see `grouping`.
        learn: learn how long ways take where the rules do not tell it, and join anew.
        decisions: what a person decided, which goes before all else.

    Raises:
        DataError: if decisions contradict one another.
        UserError: if there is no such method, or scipy is missing.
    """
    rules = rules or Rules()
    similarity = (means @ means.T).astype(np.float64)
    scores = similarity - threshold.of(tracklets)
    together = groups_of(decisions, len(tracklets))
    check_decisions(decisions, tracklets, together)
    unseen: Mask = np.asarray(~means.any(axis=1))

    def joined(rules: Rules) -> tuple[Int64, Constraints]:
        constraints = _constrained(tracklets, rules, decisions, unseen)
        contracted = contract(together, scores, constraints)
        labels = group(method, contracted.scores, contracted.constraints, contracted.sizes)
        return labels[together], constraints

    labels, constraints = joined(rules)
    learnt: dict[Pair, Learnt] = {}
    for _ in range(_ROUNDS if learn else 0):
        learnt = learn_transitions(tracklets, labels, scores, constraints)
        rules = rules.with_learnt({pair: (each.low, each.high) for pair, each in learnt.items()})
        labels, constraints = joined(rules)
    learnt = {pair: each for pair, each in learnt.items() if pair in rules.learnt}
    return Linked(_numbered(labels), similarity, scores, constraints, learnt)


def _constrained(
    tracklets: Tracklets,
    rules: Rules,
    decisions: Sequence[Decision],
    unseen: Mask,
) -> Constraints:
    """Return what the rules permit, changed by decisions; what was not seen is joined to nothing.

    A person's ``same`` is a step that the rules need not permit.
    """
    same = [(each.a, each.b) for each in decisions if each.is_same]
    constraints = constrain(tracklets, rules, same)
    forbidden = constraints.forbidden
    decided = np.zeros_like(forbidden)
    for each in decisions:
        decided[each.a, each.b] = decided[each.b, each.a] = True
        forbidden[each.a, each.b] = forbidden[each.b, each.a] = not each.is_same
    blank = (unseen[:, None] | unseen[None, :]) & ~decided
    np.fill_diagonal(blank, False)
    return Constraints(constraints.follows, forbidden | blank)


def _numbered(labels: Int64) -> Int64:
    """Return labels as numbers from 1, in the order in which they first occur."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(1, len(first) + 1)
    return rank[inverse.reshape(-1)]
