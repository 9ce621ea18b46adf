"""Precision, accumulation and layout."""

from __future__ import annotations

import weakref
from typing import Any

import pytest
import torch
from torch import nn

from reidcore.engine.precision import Accelerator, Precision, computes_bf16, run_device
from reidcore.errors import UserError

CPU = torch.device("cpu")


def one_weight() -> tuple[nn.Linear, torch.optim.Optimizer]:
    layer = nn.Linear(1, 1, bias=False)
    nn.init.ones_(layer.weight)
    return layer, torch.optim.SGD(layer.parameters(), lr=1.0)


def learn(accelerator: Accelerator, layer: nn.Linear, value: float) -> None:
    accelerator.begin_batch()
    accelerator.backward(layer(torch.tensor([[value]])).sum())


def test_accumulated_gradients_are_those_of_the_mean() -> None:
    accelerator = Accelerator(Precision(accumulate=2), CPU)
    layer, optimizer = one_weight()
    learn(accelerator, layer, 1.0)
    assert not accelerator.optimizer_step([optimizer])
    learn(accelerator, layer, 3.0)
    assert accelerator.optimizer_step([optimizer])
    assert layer.weight.item() == pytest.approx(1.0 - 2.0)


def test_the_last_batches_of_an_epoch_are_not_lost() -> None:
    accelerator = Accelerator(Precision(accumulate=2), CPU)
    layer, optimizer = one_weight()
    learn(accelerator, layer, 4.0)
    accelerator.flush([optimizer])
    assert layer.weight.item() == pytest.approx(1.0 - 4.0)
    accelerator.flush([optimizer])
    assert layer.weight.item() == pytest.approx(1.0 - 4.0)


def test_an_engine_that_steps_by_hand_is_not_stepped_again() -> None:
    accelerator = Accelerator(Precision(), CPU)
    layer, optimizer = one_weight()
    accelerator.begin_batch()
    layer(torch.ones(1, 1)).sum().backward()
    optimizer.step()
    accelerator.flush([optimizer])
    assert layer.weight.item() == pytest.approx(0.0)


def test_used_gradients_are_cleared_and_live_until_the_next_ones_on_the_cpu() -> None:
    accelerator = Accelerator(Precision(), CPU)
    layer, optimizer = one_weight()
    learn(accelerator, layer, 2.0)
    used = weakref.ref(layer.weight.grad)  # type: ignore[arg-type]
    accelerator.optimizer_step([optimizer])
    assert layer.weight.grad is None
    assert used() is not None
    learn(accelerator, layer, 3.0)
    assert used() is None
    assert layer.weight.grad is not None
    assert layer.weight.grad.item() == 3.0


def stopped(precision: Precision, *values: float) -> dict[str, Any] | None:
    """Return what a checkpoint holds of a step that was stopped after some batches."""
    accelerator = Accelerator(precision, CPU)
    layer, optimizer = one_weight()
    for value in values:
        learn(accelerator, layer, value)
        accelerator.optimizer_step([optimizer])
    return accelerator.accumulated([optimizer])


@pytest.mark.parametrize("amp", ["off", "fp16"])
@pytest.mark.parametrize("amp_before", ["off", "fp16"])
@pytest.mark.parametrize("accumulate", [1, 2, 3, 5])
def test_a_step_under_way_is_the_same_under_another_precision(
    amp_before: str, amp: str, accumulate: int
) -> None:
    """It ends with as many batches as it was begun for; those after it are as many as now."""
    held = stopped(Precision(amp=amp_before, accumulate=3), 1.0, 3.0)
    assert held is not None
    accelerator = Accelerator(Precision(amp=amp, accumulate=accumulate), CPU)
    layer, optimizer = one_weight()
    accelerator.take_up(held, [optimizer])
    learn(accelerator, layer, 5.0)
    assert accelerator.optimizer_step([optimizer])
    assert layer.weight.item() == pytest.approx(1.0 - 3.0)
    for left in reversed(range(accumulate)):
        learn(accelerator, layer, 1.0)
        assert accelerator.optimizer_step([optimizer]) == (not left)
    assert layer.weight.item() == pytest.approx(1.0 - 3.0 - 1.0)


def test_gradients_that_fp16_could_not_hold_are_left_out_without_its_scaler_too() -> None:
    held = stopped(Precision(amp="fp16", accumulate=2), float("inf"))
    assert held is not None
    accelerator = Accelerator(Precision(accumulate=2), CPU)
    layer, optimizer = one_weight()
    accelerator.take_up(held, [optimizer])
    for value in (1.0, 3.0):
        learn(accelerator, layer, value)
        accelerator.optimizer_step([optimizer])
    assert layer.weight.item() == pytest.approx(1.0 - 2.0)


def test_bf16_computes_in_bf16_and_keeps_float_weights() -> None:
    accelerator = Accelerator(Precision(amp="bf16"), CPU)
    layer, _ = one_weight()
    with accelerator.autocast():
        assert layer(torch.ones(1, 1)).dtype is torch.bfloat16
    assert layer.weight.dtype is torch.float32


@pytest.mark.parametrize(("is_native", "dtype"), [(True, torch.bfloat16), (False, None)])
def test_auto_is_bf16_where_the_device_has_instructions_for_it(
    monkeypatch: pytest.MonkeyPatch, is_native: bool, dtype: torch.dtype | None
) -> None:
    monkeypatch.setattr("reidcore.engine.precision.computes_bf16", lambda device: is_native)
    assert Accelerator(Precision(amp="auto"), CPU).dtype is dtype


def test_a_cpu_is_asked_for_its_instructions(monkeypatch: pytest.MonkeyPatch) -> None:
    probes = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    for name in probes:
        monkeypatch.setattr(torch.cpu, name, lambda: False, raising=False)
    assert not computes_bf16(CPU)
    monkeypatch.setattr(torch.cpu, probes[1], lambda: True)
    assert computes_bf16(CPU)
    for name in probes:
        monkeypatch.delattr(torch.cpu, name)
    assert not computes_bf16(CPU)


def test_a_precision_that_the_device_lacks_is_refused_with_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise RuntimeError("not implemented for 'Half'")

    monkeypatch.setattr(nn.functional, "conv2d", refuse)
    with pytest.raises(UserError, match="cpu does not compute in it") as refused:
        Accelerator(Precision(amp="fp16"), CPU)
    assert "train.amp=off" in refused.value.hint
    old_gpu = torch.device("cuda")
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **options: False)
    with pytest.raises(UserError, match="cuda does not compute in it") as refused:
        Accelerator(Precision(amp="bf16"), old_gpu)
    assert "train.amp=fp16" in refused.value.hint


@pytest.mark.parametrize(
    ("options", "message"),
    [({"amp": "bf61"}, "Did you mean 'bf16'"), ({"accumulate": 0}, "accumulate is 0")],
)
def test_mistakes_are_told(options: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        Precision(**options)  # type: ignore[arg-type]


def test_without_a_gpu_or_the_wish_for_one_the_device_is_the_cpu() -> None:
    assert run_device(use_gpu=False) == CPU
