from __future__ import annotations

import inspect
from typing import Any

import pytest
import torch
from numpy.testing import assert_allclose
from reid_plugins_engines.losses import CrossEntropyLoss, softmax_term
from torch import Tensor

from reidcore import losses
from reidcore.errors import ConfigError
from reidcore.registry import choose


@pytest.mark.parametrize(
    ("case", "label_smooth"), [("smooth1", True), ("smooth0", False)], ids=["smooth", "sharp"]
)
def test_values_and_gradients_are_torchreids(
    gold: Any, measure: Any, case: str, label_smooth: bool
) -> None:
    criterion = CrossEntropyLoss(10, label_smooth=label_smooth)
    value, gradient = measure(criterion, gold["ce_logits"], gold["ce_targets"])
    assert value == pytest.approx(float(gold[f"ce_{case}_loss64"]), abs=1e-6)
    assert_allclose(gradient, gold[f"ce_{case}_grad"], atol=1e-6)


def test_large_logits_do_not_overflow(measure: Any, gold: Any) -> None:
    value, gradient = measure(
        CrossEntropyLoss(10, label_smooth=False), gold["ce_logits"] * 1e6, gold["ce_targets"]
    )
    assert 1e5 < value < float("inf")
    assert abs(gradient.sum(axis=1)).max() < 1e-6


def test_arguments_are_torchreids_and_the_cpu_serves() -> None:
    parameters = inspect.signature(CrossEntropyLoss).parameters.values()
    names = [each.name for each in parameters if each.kind is not each.KEYWORD_ONLY]
    assert names == ["num_classes", "eps", "use_gpu", "label_smooth"]
    loss = losses.CrossEntropyLoss(3, 0.1, True)(torch.zeros(2, 3), torch.tensor([0, 2]))
    assert loss.item() == pytest.approx(torch.tensor(3.0).log().item())


def made(**options: Any) -> CrossEntropyLoss:
    """Return the criterion of the section ``loss.softmax``."""
    criterion = choose("losses", "softmax", options).make(num_classes=4)
    assert isinstance(criterion, CrossEntropyLoss)
    return criterion


def against(targets: list[list[float]], logits: Tensor) -> float:
    """Return the cross entropy against written-out targets."""
    return -(torch.tensor(targets) * logits.log_softmax(dim=1)).sum(dim=1).mean().item()


LOGITS = torch.tensor([[3.0, 0.0, -1.0, 0.5], [0.0, 1.0, 2.0, -2.0]])


def test_both_forms_of_smoothing_by_their_targets() -> None:
    pids = torch.tensor([0, 3])
    among_all = [[0.9 + 0.025, 0.025, 0.025, 0.025], [0.025, 0.025, 0.025, 0.9 + 0.025]]
    assert made()(LOGITS, pids).item() == pytest.approx(against(among_all, LOGITS))
    among_others = [[0.7, 0.1, 0.1, 0.1], [0.1, 0.1, 0.1, 0.7]]
    loss = made(eps=0.3, form="k_minus_1")(LOGITS, pids)
    assert loss.item() == pytest.approx(against(among_others, LOGITS))


def test_an_image_without_a_cost_counts_in_the_mean() -> None:
    certain = torch.tensor([[200.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    loss = made(eps=0.0)(certain, torch.tensor([0, 1]))
    assert loss.item() == pytest.approx(torch.tensor(4.0).log().item() / 2)


def test_one_class_costs_nothing_in_both_forms() -> None:
    for form in ("k", "k_minus_1"):
        criterion = softmax_term(1, form=form)
        assert criterion(torch.ones(2, 1), torch.tensor([0, 0])).item() == 0.0


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_mixed_precision_computes_in_single(dtype: torch.dtype) -> None:
    logits, pids = LOGITS.to(dtype), torch.tensor([0, 3])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = made()(logits, pids)
    for each in (mixed, made()(logits, pids)):
        assert each.dtype == torch.float32
        assert torch.equal(each, made()(logits.float(), pids))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"eps": 1.0}, "eps"),
        ({"eps": -0.1}, "eps"),
        ({"form": "k-1"}, "'k' or 'k_minus_1'"),
        ({"eps": 0.1, "label_smooth": False}, "label_smooth is off"),
        ({"eps": 0.8, "form": "k_minus_1"}, "of 4 identities less than each other"),
    ],
)
def test_smoothing_that_cannot_be_is_refused(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        made(**options)


def test_the_term_reads_logits() -> None:
    assert made(label_smooth=False).eps == 0
    assert made().takes == "logits"
