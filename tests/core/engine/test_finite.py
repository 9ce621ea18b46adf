"""Losses that are not finite: refused at once, or later without a wait and without harm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from reidcore.engine import Precision
from reidcore.engine.finite import FiniteCheck
from reidcore.engine.precision import Accelerator
from reidcore.engine.step import NonFiniteLossError
from reidcore.testing import tiny_run

CPU = torch.device("cpu")
GOOD, BAD = torch.tensor(1.0), torch.tensor(float("nan"))

_READS = (
    torch.ops.aten._local_scalar_dense.default,  # item(), float(), bool()
    torch.ops.aten.is_nonzero.default,
    torch.ops.aten.nonzero.default,  # its size depends on values
    torch.ops.aten.masked_select.default,
    torch.ops.aten.equal.default,
)


class NoReads(TorchDispatchMode):
    """Refuses operations that wait for a GPU, on whichever device they run."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Run an operation that does not wait."""
        assert func not in _READS, f"{func} waits for the device"
        return func(*args, **(kwargs or {}))


def looking_late(precision: Precision, device: torch.device) -> Accelerator:
    accelerator = Accelerator(precision, device)
    accelerator.finite.is_late = True
    return accelerator


def learn(accelerator: Accelerator, layer: nn.Linear, *losses: Tensor) -> None:
    """Take a step with losses that a weight's gradient is their sum of."""
    accelerator.begin_batch()
    total = accelerator.finite({str(n): layer.weight.sum() * each for n, each in enumerate(losses)})
    accelerator.backward(total)


def weight_and_optimizer(fused: bool) -> tuple[nn.Linear, torch.optim.Optimizer]:
    layer = nn.Linear(1, 1, bias=False)
    nn.init.ones_(layer.weight)
    return layer, torch.optim.SGD(layer.parameters(), lr=0.5, fused=fused)


def test_at_once_the_batch_is_refused_with_its_terms() -> None:
    check = FiniteCheck()
    assert check({"a": GOOD, "b": GOOD}).item() == 2.0
    with pytest.raises(NonFiniteLossError, match=r"a 1, b nan"):
        check({"a": GOOD, "b": BAD})
    assert check(GOOD) is GOOD


def test_late_a_step_does_not_read_the_loss() -> None:
    accelerator = looking_late(Precision(), CPU)
    layer, optimizer = weight_and_optimizer(fused=True)
    with NoReads():
        for _ in range(3):
            learn(accelerator, layer, GOOD, GOOD)
            accelerator.optimizer_step([optimizer])
    accelerator.finite.settle()
    assert layer.weight.item() == 1.0 - 3 * 0.5 * 2
    at_once = Accelerator(Precision(), CPU)
    with pytest.raises(AssertionError, match="waits for the device"), NoReads():
        learn(at_once, layer, GOOD)


def test_late_the_weights_stay_as_they_were_and_a_later_batch_tells() -> None:
    accelerator = looking_late(Precision(), CPU)
    layer, optimizer = weight_and_optimizer(fused=True)
    learn(accelerator, layer, GOOD, BAD)
    accelerator.optimizer_step([optimizer])
    assert layer.weight.item() == 1.0
    assert not hasattr(optimizer, "found_inf")
    with pytest.raises(NonFiniteLossError, match="0 1, 1 nan"):
        accelerator.finite(GOOD)
    learn(accelerator, layer, GOOD)
    accelerator.optimizer_step([optimizer])
    assert layer.weight.item() == 0.5


def test_late_a_step_is_left_out_whichever_of_its_batches_was_not_finite() -> None:
    for losses in ([BAD, GOOD], [GOOD, BAD]):
        check = FiniteCheck(is_late=True)
        layer, optimizer = weight_and_optimizer(fused=True)
        for loss in losses:
            check._look = lambda wait: None  # type: ignore[method-assign]  # nothing came yet
            check(loss)
        layer.weight.grad = torch.ones(1, 1)
        with check.guarding(optimizer):
            optimizer.step()
        assert layer.weight.item() == 1.0
        check.stepped()
        with check.guarding(optimizer):
            optimizer.step()
        assert layer.weight.item() == 0.5


def test_late_what_is_left_is_told_before_a_checkpoint_or_forgotten() -> None:
    check = FiniteCheck(is_late=True)
    check({"softmax": BAD})
    with pytest.raises(NonFiniteLossError, match="softmax nan"):
        check.settle()
    check.settle()
    check({"softmax": BAD})
    check.forget()
    check.settle()


def test_late_no_checkpoint_is_written_after_a_loss_that_is_not_finite(tmp_path: Any) -> None:
    from reidcore import hookimpl

    class Spoiling:
        """Makes the last loss of the epoch NaN."""

        @hookimpl
        def reid_run_start(self, engine: Any) -> None:
            engine.accelerator.finite.is_late = True
            self.left = len(engine.train_loader)

        @hookimpl(wrapper=True)
        def reid_compute_losses(self, engine: Any) -> Any:
            losses = yield
            self.left -= 1
            return losses if self.left else {name: each * BAD for name, each in losses.items()}

    with pytest.raises(NonFiniteLossError):
        tiny_run(Spoiling(), save_dir=tmp_path)
    assert not list(tmp_path.glob("*.pth.tar*"))


OVER_PAIRS = (
    "loss.terms={weighted_triplet: 1, circle: 1, cosface_pairs: 1, contrastive: 1, "
    "multi_similarity: 1, supcon: 1, instance: 1, focal: 1, center: 1}"
)


@pytest.mark.parametrize(
    "loss",
    [["loss.name=softmax"], ["loss.name=triplet", "loss.triplet.weight_x=1"], [OVER_PAIRS]],
    ids=["softmax", "triplet", "others"],
)
def test_a_step_of_the_core_reads_nothing_that_it_does_not_show(
    loss: list[str], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reid_plugins_engines.losses import distances, pair_loss

    from reidcore import hookimpl

    for module in (distances, pair_loss):
        monkeypatch.setattr(module, "reading_waits", lambda tensor: True)

    class Watching:
        """Refuses reads within each step."""

        steps = 0

        @hookimpl
        def reid_run_start(self, engine: Any) -> None:
            engine.accelerator.finite.is_late = True

        @hookimpl(wrapper=True)
        def reid_forward_backward(self) -> Any:
            self.steps += 1
            with NoReads():
                return (yield)

    watching = Watching()
    pairs = ["sampler.train_sampler=RandomIdentitySampler", "sampler.num_instances=2"]
    tiny_run(watching, save_dir=tmp_path, overrides=["adam.fused=true", *pairs, *loss])
    assert watching.steps


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_on_cuda_a_step_does_not_wait(tmp_path: Any) -> None:
    device = torch.device("cuda")
    accelerator = looking_late(Precision(amp="bf16"), device)
    layer = nn.Linear(8, 8).to(device)
    optimizer = torch.optim.Adam(layer.parameters(), fused=True)
    images = torch.rand(4, 8, device=device)

    def step() -> None:
        accelerator.begin_batch()
        with accelerator.autocast():
            loss = layer(images).square().mean()
        accelerator.backward(accelerator.finite({"loss": loss}))
        accelerator.optimizer_step([optimizer])

    step()
    torch.cuda.set_sync_debug_mode("error")
    try:
        step()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    accelerator.finite.settle()
