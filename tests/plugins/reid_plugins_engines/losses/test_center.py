"""The centre loss, and the optimizer of its centres."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from reid_plugins_engines.losses import BranchCenterLoss, CenterLoss, center_term
from torch import Tensor

from reidcore import hookimpl
from reidcore.engine import Engine
from reidcore.errors import ConfigError, UserError
from reidcore.models import Outputs
from reidcore.registry import choose
from reidcore.testing import TinyRun, tiny_run

GOLDEN_FEATURES = torch.tensor([[1.0, 2.0], [0.0, -1.0], [3.0, 0.5]])
GOLDEN_CENTERS = torch.tensor([[0.0, 0.0], [1.0, 1.0], [2.0, -2.0]])


def test_it_is_the_mean_squared_distance_from_the_own_centres() -> None:
    loss = CenterLoss(3, 2)
    loss.centers.data = GOLDEN_CENTERS.clone()
    # images of identities 1, 0, 1: distances squared are 1, 1 and 4.25
    assert loss(GOLDEN_FEATURES, torch.tensor([1, 0, 1])).item() == pytest.approx(6.25 / 3)


def test_features_and_centres_have_the_slopes_of_its_definition() -> None:
    loss, pids = CenterLoss(3, 2).double(), torch.tensor([1, 0, 1])
    features = GOLDEN_FEATURES.double().requires_grad_()
    assert torch.autograd.gradcheck(lambda each, _: loss(each, pids), (features, loss.centers))


def test_centres_of_identities_that_are_not_there_stay() -> None:
    loss = CenterLoss(3, 2)
    loss.centers.data = GOLDEN_CENTERS.clone()
    loss(GOLDEN_FEATURES, torch.tensor([1, 0, 1])).backward()
    loss.make_optimizer().step()
    # 2/3 of the sums of c - f at a rate of 0.5: a third of them
    expected = GOLDEN_CENTERS - torch.tensor([[0.0, 1.0], [-2.0, -0.5], [0.0, 0.0]]) / 3
    assert torch.allclose(loss.centers, expected)


def test_it_is_in_float32_under_mixed_precision() -> None:
    loss = CenterLoss(2, 4096)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = loss(torch.full((2, 4096), 300.0, dtype=torch.bfloat16), torch.tensor([0, 1]))
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx((300.0 - loss.centers).square().sum().item() / 2, rel=1e-5)


def test_branches_have_centres_of_their_own() -> None:
    loss = center_term(3, feature_dim=4, branches=2)
    assert isinstance(loss, BranchCenterLoss)
    first, second = GOLDEN_CENTERS.clone(), -GOLDEN_CENTERS.clone()
    for own, centers in zip(loss.losses, (first, second), strict=True):
        own.centers.data = centers
    pids = torch.tensor([1, 0, 1])
    # of the second branch: (1, 2) from (-1, -1) is 13, (0, -1) from 0 is 1, (3, .5) is 18.25
    value = loss(Outputs(torch.empty(0), (GOLDEN_FEATURES, GOLDEN_FEATURES)), {"pid": pids})
    assert value.item() == pytest.approx((6.25 / 3 + 32.25 / 3) / 2)
    optimizer = loss.make_optimizer()
    assert len(optimizer.param_groups[0]["params"]) == 2
    assert optimizer.param_groups[0]["lr"] == 0.5


def test_branches_share_the_features_evenly_and_the_rate() -> None:
    loss = center_term(3, feature_dim=6, lr=0.3, branches=3)
    assert isinstance(loss, BranchCenterLoss)
    assert [tuple(each.shape) for each in loss.parameters()] == [(3, 2)] * 3
    assert loss.make_optimizer().param_groups[0]["lr"] == 0.3


def test_wrong_numbers_of_branches_are_told() -> None:
    with pytest.raises(ConfigError, match="no multiple"):
        center_term(3, feature_dim=4, branches=3)
    loss = center_term(3, feature_dim=4, branches=2)
    with pytest.raises(UserError, match=r"branches is 2, .* features of 3 branches"):
        loss(Outputs(torch.empty(0), (GOLDEN_FEATURES,) * 3), {"pid": torch.tensor([1, 0, 1])})
    with pytest.raises(UserError, match=r"loss\.center\.branches"):
        center_term(3, feature_dim=4)(GOLDEN_FEATURES, torch.tensor([1, 0, 1]))


class Recorder:
    """Keeps the features and identities of each batch."""

    def __init__(self) -> None:
        self.batches: list[tuple[Tensor, Tensor]] = []

    @hookimpl(wrapper=True)
    def reid_compute_losses(self, engine: Engine, batch: Any, outputs: Any) -> Any:
        self.batches.append((outputs.features.detach().float().clone(), batch["pid"].clone()))
        return (yield)


def run_with(folder: Path, weight: float, recorder: Recorder, *keys: str) -> TinyRun:
    """Train the centres alone: the network's rate is 0."""
    terms = f"loss.terms={{softmax: 1.0, center: {weight}}}"
    still = ["train.lr=0.0", "train.weight_decay=0.0", "train.max_epoch=2"]
    return tiny_run(recorder, save_dir=folder, overrides=[terms, *still, *keys])


def centers_of(run: TinyRun) -> Tensor:
    criterion = run.engine.terms["center"][1]
    assert isinstance(criterion, CenterLoss)
    return criterion.centers.detach()


@pytest.mark.parametrize("amp", ["off", "fp16"])
@pytest.mark.parametrize("accumulate", [1, 2])
def test_centres_move_as_if_the_weight_were_one(tmp_path: Path, amp: str, accumulate: int) -> None:
    keys = [f"train.amp={amp}", f"train.accumulate={accumulate}"]
    recorder = Recorder()
    light = run_with(tmp_path / "light", 0.0005, recorder, *keys)
    heavy = run_with(tmp_path / "heavy", 1.0, Recorder(), *keys)
    assert torch.allclose(centers_of(light), centers_of(heavy), rtol=1e-4, atol=1e-5)
    initial = initial_centers(light)
    expected = naive_centers(initial, recorder.batches, accumulate, batches=3)
    np.testing.assert_allclose(centers_of(light).numpy(), expected, rtol=1e-4, atol=1e-4)
    assert not np.allclose(expected, initial, atol=0.1)


def initial_centers(run: TinyRun) -> np.ndarray[Any, Any]:
    """Return the centres that a run with this seed begins with."""
    from reidcore.config import load_config
    from reidcore.engine.build import prepare

    config = load_config(dict(run.engine.config or {}), plugins=run.engine.plugins)
    engine, _ = prepare(config, run.engine.plugins)
    return engine.terms["center"][1].centers.detach().numpy().copy()  # type: ignore[attr-defined, no-any-return]


def naive_centers(
    centers: np.ndarray[Any, Any],
    seen: list[tuple[Tensor, Tensor]],
    accumulate: int,
    batches: int,
) -> np.ndarray[Any, Any]:
    """Move the centres step by step, an image at a time, at the rate 0.5."""
    centers = centers.astype(np.float64)
    for epoch in range(0, len(seen), batches):
        for first in range(epoch, epoch + batches, accumulate):
            summed = seen[first : min(first + accumulate, epoch + batches)]
            gradient = np.zeros_like(centers)
            for features, pids in summed:
                for feature, pid in zip(features.numpy(), pids.numpy(), strict=True):
                    gradient[pid] += 2 * (centers[pid] - feature) / len(pids) / len(summed)
            centers -= 0.5 * gradient
    return centers


def test_a_resumed_run_has_the_same_centres_and_weights(tmp_path: Path) -> None:
    terms = ["loss.terms={softmax: 1.0, center: 0.005}", "loss.center.lr=0.3"]
    whole = tiny_run(save_dir=tmp_path / "whole", overrides=[*terms, "train.max_epoch=2"])
    tiny_run(save_dir=tmp_path / "parts", root=tmp_path / "whole/data", overrides=terms)
    resumed = tiny_run(
        save_dir=tmp_path / "parts",
        root=tmp_path / "whole/data",
        overrides=[
            *terms,
            "train.max_epoch=2",
            f"model.resume={tmp_path / 'parts/model.pth.tar-1'}",
        ],
    )
    assert torch.equal(centers_of(whole), centers_of(resumed))
    for key, value in whole.engine.model.state_dict().items():
        assert torch.equal(value, resumed.engine.model.state_dict()[key]), key
    assert whole.engine.loss_optimizers["center"].param_groups[0]["lr"] == 0.3
    (group,) = whole.engine.loss_optimizers["center"].param_groups
    held = [id(each) for each in whole.engine.optimizer.param_groups[-1]["params"]]  # type: ignore[union-attr]
    assert not {id(each) for each in group["params"]} & set(held)


def test_what_it_cannot_learn_from_is_refused() -> None:
    with pytest.raises(UserError, match="made for 2 features, and the model gives 5"):
        CenterLoss(3, 2)(torch.zeros(4, 5), torch.zeros(4, dtype=torch.long))
    with pytest.raises(ConfigError, match="how many features"):
        center_term(3)
    with pytest.raises(ConfigError, match="cannot take lr: expected at least 0"):
        choose("losses", "center", {"lr": -1.0})
