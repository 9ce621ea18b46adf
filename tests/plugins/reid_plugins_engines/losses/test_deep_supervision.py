from __future__ import annotations

from typing import Any

import pytest
import torch
from numpy.testing import assert_allclose

from reidcore.errors import UserError
from reidcore.losses import CrossEntropyLoss, DeepSupervision


def test_the_mean_over_outputs_is_torchreids(gold: Any) -> None:
    outputs = torch.tensor(gold["ds_logits"], requires_grad=True)
    criterion = CrossEntropyLoss(num_classes=10, use_gpu=False)
    loss = DeepSupervision(criterion, tuple(outputs), torch.tensor(gold["ce_targets"]))
    loss.backward()
    assert loss.item() == pytest.approx(float(gold["ds_loss"]), abs=1e-6)
    assert outputs.grad is not None
    assert_allclose(outputs.grad.numpy(), gold["ds_grad"], atol=1e-6)


def test_no_output_is_refused() -> None:
    with pytest.raises(UserError, match="one or more in xs"):
        DeepSupervision(CrossEntropyLoss(3), [], torch.tensor([0]))
