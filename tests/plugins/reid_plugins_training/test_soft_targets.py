"""The divergence of predictions: golden values, its gradient, and networks of several parts."""

from __future__ import annotations

import math

import pytest
import torch
from reid_plugins_training.soft_targets import kl_divergence, soft_target_loss

from reidcore.errors import UserError
from reidcore.models import Outputs


def test_a_golden_value() -> None:
    # p = (1/2, 1/2), q = (1/4, 3/4): KL(p || q) = ln(2) / 2 + ln(2 / 3) / 2 = ln(4 / 3) / 2
    learnt, given = torch.tensor([[0.0, math.log(3)]]), torch.zeros(1, 2)
    assert kl_divergence(learnt, given).item() == pytest.approx(math.log(4 / 3) / 2, abs=1e-6)
    # At T = 2 the odds are sqrt(3), and the square of T is a factor.
    soft = kl_divergence(learnt, given, temperature=2).item()
    odds = math.sqrt(3)
    expected = -math.log(1 / (1 + odds) * odds / (1 + odds) * 4) / 2 * 4
    assert soft == pytest.approx(expected, abs=1e-5)


def test_it_is_nothing_where_the_networks_agree() -> None:
    logits = torch.randn(5, 7)
    assert kl_divergence(logits + 3, logits).item() == pytest.approx(0, abs=1e-6)


def test_its_gradient_is_that_of_the_cross_entropy_and_stops_at_the_targets() -> None:
    torch.manual_seed(0)
    learnt, given = (torch.randn(4, 6, dtype=torch.double, requires_grad=True) for _ in "ab")
    (own,) = torch.autograd.grad(kl_divergence(learnt, given), learnt, retain_graph=True)
    entropy = -(given.detach().softmax(1) * learnt.log_softmax(1)).sum(1).mean()
    torch.testing.assert_close(own, torch.autograd.grad(entropy, learnt)[0])
    kl_divergence(learnt, given).backward()
    assert given.grad is None


def test_it_is_exact_in_half_precision_too() -> None:
    learnt, given = torch.tensor([[0.0, 9.0]]), torch.tensor([[0.0, 7.0]])
    half = kl_divergence(learnt.half(), given.half())
    assert half.dtype == torch.float32
    assert half.item() == pytest.approx(kl_divergence(learnt, given).item(), rel=1e-5)


def test_several_classifiers_are_compared_one_by_one_or_with_the_mean() -> None:
    one, two, target = torch.tensor([[0.0, 1.0]]), torch.tensor([[2.0, 0.0]]), torch.zeros(1, 2)
    none = torch.zeros(1, 1)
    pairs = soft_target_loss(Outputs([one, two], none), Outputs([one, target], none))
    assert pairs.item() == pytest.approx(kl_divergence(two, target).item() / 2)
    mean = soft_target_loss(Outputs(one, none), Outputs([one, two], none))
    assert mean.item() == pytest.approx(kl_divergence(one, (one + two) / 2).item())


def test_other_classes_cannot_be_compared() -> None:
    with pytest.raises(UserError, match="3 classes cannot learn from the logits of one of 2"):
        kl_divergence(torch.zeros(1, 3), torch.zeros(1, 2))
