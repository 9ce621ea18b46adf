"""The focal loss, beside its definition and cross entropy."""

from __future__ import annotations

import math

import pytest
import torch
from reid_plugins_engines.losses import FocalLoss

from reidcore.errors import ConfigError, UserError
from reidcore.registry import choose

LOGITS = [[2.0, -1.0, 0.5], [0.0, 3.0, 1.0], [-2.0, 0.0, 4.0]]
PIDS = [0, 2, 2]


def written_out(alpha: float, gamma: float) -> float:
    costs: list[float] = []
    for logits, pid in zip(LOGITS, PIDS, strict=True):
        p = math.exp(logits[pid]) / sum(map(math.exp, logits))
        costs.append(-alpha * (1 - p) ** gamma * math.log(p))
    return sum(costs) / len(costs)


@pytest.mark.parametrize(("alpha", "gamma"), [(0.25, 2.0), (1.0, 0.0), (1.0, 0.5), (3.0, 5.0)])
def test_it_costs_what_the_definition_says(alpha: float, gamma: float) -> None:
    logits = torch.tensor(LOGITS, dtype=torch.float64, requires_grad=True)
    loss = FocalLoss(3, alpha, gamma)
    assert loss(logits, torch.tensor(PIDS)).item() == pytest.approx(written_out(alpha, gamma))
    assert torch.autograd.gradcheck(lambda x: loss(x, torch.tensor(PIDS)), (logits,))


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
def test_certain_and_hopeless_images_have_finite_costs_and_slopes(gamma: float) -> None:
    logits = torch.tensor([[300.0, 0.0], [-300.0, 0.0]], requires_grad=True)
    value = FocalLoss(2, 1.0, gamma)(logits, torch.tensor([0, 0]))
    value.backward()
    assert value.item() == pytest.approx(150.0)  # by softmax, then log, it would be infinite
    assert logits.grad is not None
    assert logits.grad.isfinite().all()
    assert logits.grad[1, 0] == pytest.approx(-0.5)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_mixed_precision_computes_in_single(dtype: torch.dtype) -> None:
    logits, pids = torch.tensor(LOGITS, dtype=dtype), torch.tensor(PIDS)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = FocalLoss(3)(logits, pids)
    assert mixed.dtype == torch.float32
    assert torch.equal(mixed, FocalLoss(3)(logits.float(), pids))


def test_too_few_classes_and_odd_options_are_refused() -> None:
    with pytest.raises(UserError, match="the model has 3 classes, and the loss 5 identities"):
        FocalLoss(5)(torch.zeros(1, 3), torch.tensor([3]))
    for options in ({"alpha": 0.0}, {"gamma": -1.0}):
        with pytest.raises(ConfigError, match=next(iter(options))):
            choose("losses", "focal", options).make(num_classes=3)


def test_options_left_out_are_those_of_the_paper() -> None:
    loss = choose("losses", "focal", {}).make(num_classes=3)
    value = loss(torch.tensor(LOGITS, dtype=torch.float64), torch.tensor(PIDS))
    assert value.item() == pytest.approx(written_out(0.25, 2.0))
