"""A criterion on several branches, each with its weight."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from reid_plugins_engines.losses import (
    BranchWeighted,
    CrossEntropyLoss,
    TripletLoss,
    WeightedTripletLoss,
)
from torch import Tensor, nn

from reidcore.engine import make_terms, weighted_terms
from reidcore.errors import ConfigError, UserError
from reidcore.models import Outputs
from reidcore.registry import choose

PIDS = torch.tensor([0, 0, 1, 1, 2, 2])
ALL = [
    "circle",
    "contrastive",
    "cosface_pairs",
    "focal",
    "instance",
    "multi_similarity",
    "softmax",
    "supcon",
    "triplet",
    "weighted_triplet",
]


def branches(count: int = 3) -> tuple[Tensor, ...]:
    draw = torch.Generator().manual_seed(0)
    return tuple(torch.randn(6, 4, generator=draw) for _ in range(count))


def term(name: str, outputs: Outputs, **options: Any) -> float:
    """Return what a loss by name costs, in the way that the engine calls it."""
    terms = make_terms({name: (1.0, choose("losses", name, options))}, num_classes=4)

    def mean(criterion: Any, taken: Any, pids: Tensor) -> Tensor:
        each = [taken] if isinstance(taken, Tensor) else taken
        return torch.stack([criterion(one, pids) for one in each]).mean()

    return weighted_terms(terms, outputs, {"pid": PIDS}, mean)[name].item()


@pytest.mark.parametrize("name", ALL)
def test_every_loss_is_a_weighted_sum_over_branches(name: str) -> None:
    outputs = Outputs(branches(), branches())
    of_each = [term(name, Outputs(one, one)) for one in branches()]
    assert term(name, outputs) == pytest.approx(sum(of_each) / 3)
    assert term(name, outputs, branch_weights=[1, 1, 1]) == pytest.approx(sum(of_each))
    halves = 0.5 * of_each[0] + 0.25 * of_each[1] + 0.25 * of_each[2]
    assert term(name, outputs, branch_weights=[0.5, 0.25, 0.25]) == pytest.approx(halves)
    assert term(name, outputs, branch_weights=[0.0, 2.0, 0.0]) == pytest.approx(2 * of_each[1])
    assert term(name, Outputs(*[branches()[0]] * 2), branch_weights=[2]) == pytest.approx(
        2 * of_each[0]
    )


def test_a_branch_of_weight_0_is_left_out() -> None:
    first, other = branches(2)
    outputs = Outputs(first, (first, other * torch.inf))
    assert term("triplet", outputs, branch_weights=[1.0, 0.0]) == term(
        "triplet", Outputs(first, first)
    )


def test_another_number_of_branches_is_told_with_both_numbers() -> None:
    for outputs, told in [
        (Outputs(branches(3), branches(2)), "has 2 weights, and the model gives logits of 3 branc"),
        (Outputs(branches(1)[0], None), "has 2 weights, and the model gives logits of 1 branch"),
        (Outputs(None, branches(2)), "has 2 weights, and the model gives logits of 0 branches"),
    ]:
        with pytest.raises(UserError, match=rf"loss\.softmax\.branch_weights {told}"):
            term("softmax", outputs, branch_weights=[1.0, 1.0])


@pytest.mark.parametrize("weights", [[], [0.0, 0.0], [1.0, -0.5], ["a"], 1.0])
def test_weights_that_are_none_are_refused(weights: Any) -> None:
    with pytest.raises(ConfigError, match="branch_weights"):
        term("softmax", Outputs(branches(), branches()), branch_weights=weights)


def test_it_needs_what_its_criterion_needs() -> None:
    metric = BranchWeighted(WeightedTripletLoss(across_ranks=False), [1.0, 1.0])
    assert metric.takes == "features"
    assert metric.needs_positives
    assert metric.needs_negatives
    assert not metric.across_ranks
    classes = BranchWeighted(CrossEntropyLoss(4), [1.0, 1.0])
    assert classes.takes == "logits"
    assert not classes.needs_positives
    assert BranchWeighted(TripletLoss(0.5), [1.0, 3.0]).stuck_at == 2.0


class Late(nn.Module):
    """A criterion that wants to know the epoch."""

    epoch = -1

    def forward(self, inputs: Tensor, targets: Tensor) -> Tensor:
        return inputs.sum()

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch


def test_the_epoch_reaches_the_criterion_and_none_that_does_not_ask() -> None:
    late = Late()
    BranchWeighted(late, [1.0]).set_epoch(7)
    assert late.epoch == 7
    BranchWeighted(TripletLoss(), [1.0]).set_epoch(7)


def test_what_a_loss_says_of_itself_is_said_of_its_weighted_sum() -> None:
    loss = BranchWeighted(TripletLoss(0.2), [0.5, 1.0])
    assert (loss.takes, loss.across_ranks) == ("features", True)
    assert loss.needs_negatives
    assert loss.stuck_at == pytest.approx(0.3)
    assert not BranchWeighted(TripletLoss(across_ranks=False), [1.0]).across_ranks
