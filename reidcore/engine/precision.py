"""How a step is computed: device, precision, memory layout and accumulation.

Kept apart from what a step computes, so that ``losses``, ``backward`` and ``optimizer_step`` are
right under mixed precision and accumulation, whoever calls them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from reidcore.data.loader.loader import BatchLoader
from reidcore.engine.finite import FiniteCheck
from reidcore.errors import UserError, did_you_mean, quoted
from reidcore.optim.groups import gradients_in, parameters_in

AMP_DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Precision:
    """How steps are computed.

    Attributes:
        amp: ``off``, ``bf16``, ``fp16``, or ``auto`` (bf16 where the device computes it natively).
        channels_last: keep images and weights in channels-last layout, which is faster for
            convolutions on most devices.
        accumulate: batches whose gradients are summed before the optimizer steps.
    """

    amp: str = "off"
    channels_last: bool = False
    accumulate: int = 1

    def steps_in(self, batches: int) -> int:
        """Return how many steps the optimizer takes in an epoch of so many batches."""
        return math.ceil(batches / self.accumulate)

    def __post_init__(self) -> None:
        choices = ("off", "auto", *AMP_DTYPES)
        if self.amp not in choices:
            raise UserError(
                f"train.amp is {quoted(self.amp)}",
                did_you_mean(self.amp, choices) or f"Use one of: {', '.join(choices)}.",
            )
        if self.accumulate < 1:
            raise UserError(f"train.accumulate is {quoted(self.accumulate)}", "Give 1 or more.")


def run_device(use_gpu: bool) -> torch.device:
    """Return the device of a run: CUDA, then MPS, if wanted and there; else the CPU."""
    if use_gpu and torch.cuda.is_available():
        number = torch.cuda.current_device()  # torch.cuda.set_device chooses another than the first
        return torch.device(f"cuda:{number}" if number else "cuda")
    if use_gpu and torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


class Accelerator:
    """Runs a step on a device: placement, autocast, scaled gradients, accumulation.

    Args:
        precision: how steps are computed.
        device: where.
        before_step: called when the gradients are complete and unscaled, before they are used.
        averaged: the context in which gradients are means over all processes.
    """

    def __init__(
        self,
        precision: Precision,
        device: torch.device,
        before_step: Callable[[], object] = lambda: None,
        averaged: Callable[[list[Optimizer]], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self.precision = precision
        self.device = device
        self.before_step = before_step
        self.averaged = averaged
        self.dtype = _amp_dtype(precision.amp, device)
        self.finite = FiniteCheck()
        self.scaler = torch.amp.GradScaler(device.type, enabled=self.dtype is torch.float16)
        self._batches = 0
        self._planned = precision.accumulate  # batches of the step under way
        self._has_gradients = False
        # On the CPU they live until the next ones come, as in most loops by hand: freed before the
        # forward pass, they would let glibc give the heap back to the system, and fault it in anew.
        self._used_gradients: list[Tensor] = []

    def place(self, model: nn.Module, *optimizers: Optimizer) -> nn.Module:
        """Move a model to the device and into its memory layout, and its optimizers along."""
        model = model.to(self.device)
        if self.precision.channels_last:
            model = model.to(memory_format=torch.channels_last)
        for optimizer in optimizers:
            if optimizer.state:  # loading puts it where the parameters are now
                optimizer.load_state_dict(optimizer.state_dict())
        return model

    def move(self, value: Tensor) -> Tensor:
        """Move a tensor to the device; images ``(B, 3, h, w)`` also into the memory layout."""
        value = value.to(self.device, non_blocking=self.device.type == "cuda")
        if self.precision.channels_last and value.dim() == 4:
            value = value.contiguous(memory_format=torch.channels_last)
        return value

    def receive(self, loader: Any) -> None:
        """Let one of the core's loaders complete its batches on the device."""
        if isinstance(loader, BatchLoader):
            loader.device = self.device

    def autocast(self) -> AbstractContextManager[object]:
        """Return the context in which models and losses are computed."""
        if self.dtype is None:
            return nullcontext()
        return torch.autocast(self.device.type, dtype=self.dtype)

    def begin_batch(self) -> None:
        """Count a batch towards the next optimizer step."""
        self._batches += 1

    def leave_out_batch(self) -> None:
        """Take back that the batch under way counts: the step sums as many others as planned."""
        self._batches = max(0, self._batches - 1)

    @property
    def ends_step(self) -> bool:
        """Whether the batch under way is the last one of an optimizer step."""
        return self._batches >= self._planned

    def backward(self, loss: Tensor) -> None:
        """Add the gradients of a scalar loss to the weights'."""
        self._has_gradients = True
        self._used_gradients.clear()
        self.scaler.scale(loss / self._planned).backward()  # type: ignore[no-untyped-call]

    def optimizer_step(self, optimizers: list[Optimizer]) -> bool:
        """Step and clear the gradients, unless more batches are to be accumulated first.

        Returns:
            Whether the weights were updated.
        """
        if not self.ends_step:
            return False
        self._step(optimizers)
        return True

    def flush(self, optimizers: list[Optimizer]) -> None:
        """Step with the gradients of an epoch's last batches, so that they are not lost.

        An engine that steps its optimizer by hand left none here.
        """
        if self._has_gradients:
            self._step(optimizers)
        self._batches = 0  # also of an engine that steps by hand

    def accumulated(self, optimizers: list[Optimizer]) -> dict[str, Any] | None:
        """Return the batches since the last step and their gradients, for a checkpoint."""
        if not self._batches or self._planned == 1:
            return None
        gradients = [each.grad for each in parameters_in(optimizers)] if self._has_gradients else []
        return {
            "batches": self._batches,
            "gradients": gradients,
            "planned": self._planned,
            "scale": self.scaler.get_scale(),
        }

    def take_up(self, accumulated: Mapping[str, Any], optimizers: list[Optimizer]) -> None:
        """Go on from what `accumulated` returned, perhaps under another precision.

        The step that was under way sums as many batches as it was begun for, the next ones those
        of this run.

        Raises:
            ValueError: if it is of other parameters.
        """
        parameters, gradients = parameters_in(optimizers), accumulated["gradients"]
        if gradients and len(gradients) != len(parameters):
            raise ValueError(f"{len(gradients)} gradients of {len(parameters)} parameters")
        for own, saved in zip(parameters, gradients, strict=False):
            if saved is not None and saved.shape != own.shape:
                raise ValueError(f"a gradient {tuple(saved.shape)} of {tuple(own.shape)} numbers")
        self.scaler.scale(torch.zeros(1, device=self.device))  # which it knows its scale after
        # Scales are powers of two: an equal one, and nearly all others, change no digit.
        factor = self.scaler.get_scale() / accumulated.get("scale", self.scaler.get_scale())
        if not self.scaler.is_enabled() and not _all_finite(gradients):
            return  # fp16 overflowed, and its scaler would have left out the step
        for own, saved in zip(parameters, gradients, strict=False):
            if saved is not None and own.requires_grad:
                own.grad = torch.empty_like(own).copy_(saved).mul_(factor)
                self._has_gradients = True
        self._batches = int(accumulated["batches"])
        self._planned = int(accumulated.get("planned", self._planned))

    def reset(self, optimizers: list[Optimizer]) -> None:
        """Forget gradients that a run left behind when it failed."""
        for optimizer in optimizers:
            optimizer.zero_grad(set_to_none=True)
        self._batches = 0
        self._planned = self.precision.accumulate
        self._has_gradients = False

    def _step(self, optimizers: list[Optimizer]) -> None:
        with self.averaged(optimizers):
            self._update(optimizers)
        self.reset(optimizers)

    def _update(self, optimizers: list[Optimizer]) -> None:
        stepping = [optimizer for optimizer in optimizers if gradients_in(optimizer)]
        for optimizer in stepping:
            if self._batches < self._planned:
                # Fewer batches than planned were summed: their mean, not their share.
                share = self._planned / max(1, self._batches)
                torch._foreach_mul_(gradients_in(optimizer), share)
            if self.scaler.is_enabled():
                self.scaler.unscale_(optimizer)
        if stepping:
            self.before_step()
        for optimizer in stepping:
            with nullcontext() if self.scaler.is_enabled() else self.finite.guarding(optimizer):
                self.scaler.step(optimizer)
        if stepping:  # a scaler that has seen no gradient refuses
            self.scaler.update()
        self.finite.stepped()
        if self.device.type == "cpu":
            self._used_gradients = gradients_in(*stepping)


def _all_finite(gradients: Iterable[Tensor | None]) -> bool:
    return all(bool(each.isfinite().all()) for each in gradients if each is not None)


def computes_bf16(device: torch.device) -> bool:
    """Say whether a device has instructions for bfloat16."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "cpu":
        # Torch has no public name for these; a version without one of them says no.
        probes = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
        return any(bool(getattr(torch.cpu, name, bool)()) for name in probes)
    return False


def _amp_dtype(amp: str, device: torch.device) -> torch.dtype | None:
    """Return what mixed precision computes in.

    Raises:
        UserError: if the device cannot compute in it.
    """
    if amp == "auto":
        return torch.bfloat16 if computes_bf16(device) else None
    dtype = AMP_DTYPES.get(amp)
    if dtype is not None and not _computes(dtype, device):
        others = "train.amp=fp16 or " if amp == "bf16" and device.type == "cuda" else ""
        raise UserError(
            f"train.amp is {amp!r}, and {device} does not compute in it",
            f"Use {others}train.amp=off, or train.amp=auto, which is bf16 where that is fast.",
        )
    return dtype


def _computes(dtype: torch.dtype, device: torch.device) -> bool:
    """Say whether a device computes in a type: by its own account, and by trying."""
    if device.type == "cuda" and dtype is torch.bfloat16:
        return computes_bf16(device)
    try:
        with torch.autocast(device.type, dtype=dtype):
            images, kernel = torch.ones(1, 1, 2, 2, device=device), torch.ones(1, 1, 1, 1)
            return nn.functional.conv2d(images, kernel.to(device)).dtype is dtype
    except (RuntimeError, TypeError):
        return False
