from __future__ import annotations

import inspect
from typing import Any

import pytest
import torch
from numpy.testing import assert_allclose
from reid_plugins_engines.losses import CrossEntropyLoss, softmax_term

from reidcore import losses


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


def test_the_term_reads_logits() -> None:
    assert softmax_term(5, label_smooth=False).eps == 0
    assert softmax_term(5).takes == "logits"
