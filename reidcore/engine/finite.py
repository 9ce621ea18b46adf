"""Losses that are no numbers to learn from: refused at once, or as soon as it costs nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from reidcore.engine.process_group import all_true, any_true
from reidcore.engine.step import NonFiniteLossError


@dataclass(frozen=True)
class _Read:
    """Loss terms on their way to the host.

    Attributes:
        names: of the terms.
        images: of the batch.
        values: (1 + T,) on the host, once they are there: whether the loss is not finite in this
            process or another, and the terms.
        arrived: when they are; None where they are there already.
    """

    names: tuple[str, ...]
    images: Sequence[Any]
    values: Tensor
    arrived: torch.cuda.Event | None

    @property
    def is_there(self) -> bool:
        return self.arrived is None or bool(self.arrived.query())  # type: ignore[no-untyped-call]

    def check(self) -> None:
        if self.arrived is not None:
            self.arrived.synchronize()
        if self.values.numpy()[0]:
            terms = dict(zip(self.names, self.values[1:].unbind(), strict=True))
            raise NonFiniteLossError(terms, self.images)


class FiniteCheck:
    """Refuses losses that are not finite.

    Reading a loss waits for the GPU, which then waits for the next work. A late check copies the
    terms to the host in the background, and looks at them with a later batch: until then the
    weights are guarded on the device by the fused optimizers, which leave out a step whose
    ``found_inf`` is set. Whoever writes a checkpoint calls `settle` first.

    Args:
        is_late: look later; only where reading waits, which is on CUDA.
    """

    def __init__(self, is_late: bool = False) -> None:
        self.is_late = is_late
        self._under_way: list[_Read] = []
        self._found_inf: Tensor | None = None

    def __call__(self, losses: Mapping[str, Tensor] | Tensor, images: Sequence[Any] = ()) -> Tensor:
        """Return the sum of the losses of a batch.

        Args:
            losses: scalars by name, or one.
            images: the paths of its images, for the message.

        Raises:
            NonFiniteLossError: if it, or that of an earlier batch, is not finite.
        """
        total = losses if isinstance(losses, Tensor) else torch.stack(list(losses.values())).sum()
        if not self.is_late:  # all processes stop at this step, or none
            if not all_true(torch.isfinite(total)):
                raise NonFiniteLossError(losses, images)
            return total
        self._look(wait=False)
        bad = any_true(~torch.isfinite(total.detach())).reshape(())
        self._found_inf = bad if self._found_inf is None else torch.maximum(self._found_inf, bad)
        terms = {"loss": losses} if isinstance(losses, Tensor) else losses
        values = [bad, *(each.detach().float().reshape(()) for each in terms.values())]
        stacked = torch.stack(values)
        self._under_way.append(_Read(tuple(terms), images, *_on_its_way(stacked)))
        return total

    @contextmanager
    def guarding(self, optimizer: Optimizer) -> Iterator[None]:
        """Let an optimizer leave out the step within if a loss of its batches is not finite.

        Optimizers that are not fused cannot, without waiting.
        """
        is_fused = all(group.get("fused") for group in optimizer.param_groups)
        if self._found_inf is None or not is_fused:
            yield
            return
        # What torch.amp.GradScaler hands to them as well.
        guard = {"grad_scale": None, "found_inf": self._found_inf}
        vars(optimizer).update(guard)
        try:
            yield
        finally:
            for name in guard:
                delattr(optimizer, name)

    def stepped(self) -> None:
        """Begin with other batches."""
        self._found_inf = None

    def settle(self) -> None:
        """Wait for all that was not looked at yet.

        Raises:
            NonFiniteLossError: if one is not finite.
        """
        self._look(wait=True)

    def forget(self) -> None:
        """Forget what was not looked at, as a run that ended leaves it."""
        self._under_way.clear()
        self._found_inf = None

    def _look(self, wait: bool) -> None:
        while self._under_way and (wait or self._under_way[0].is_there):
            self._under_way.pop(0).check()


def _on_its_way(terms: Tensor) -> tuple[Tensor, torch.cuda.Event | None]:
    """Return the host's copy of a vector, and when it is there."""
    if terms.device.type != "cuda":
        return terms.to("cpu", copy=True), None
    values = torch.empty(terms.shape, dtype=terms.dtype, pin_memory=True)
    values.copy_(terms, non_blocking=True)
    arrived = torch.cuda.Event()  # type: ignore[no-untyped-call]
    arrived.record(torch.cuda.current_stream(terms.device))
    return values, arrived
