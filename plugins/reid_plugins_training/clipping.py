"""Bounds on gradients (Pascanu et al., "On the difficulty of training recurrent neural networks").

Each optimizer's gradients are bounded on their own: of two networks that are trained together, each
is clipped as it would be alone.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_, clip_grad_value_

from reid_plugins_training.per_run import PerRun
from reid_plugins_training.settings import Clip
from reid_plugins_training.stepping import StepListener
from reidcore import hookimpl

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from reidcore.engine import Engine


class GradientClipping:
    """Clips gradients before each step of a model's optimizer, and shows their norm before it.

    It listens to the optimizers themselves, so that it also acts where an engine steps them by
    hand. Under fp16 a step whose gradients are infinite is left out by the gradient scaler, and has
    no part in what is shown.

    Args:
        norm: the largest Euclidean norm of all gradients of an optimizer together.
        value: the largest absolute value of each number in them; give one of the two.

    Raises:
        pydantic.ValidationError: a ``ValueError``, if neither or both are given, or one is not
            above 0.
    """

    def __init__(self, norm: float | None = None, value: float | None = None) -> None:
        self._bounds = Clip(norm=norm, value=value)
        self._runs: PerRun[dict[str, _Clip]] = PerRun()

    @hookimpl
    def reid_run_start(self, engine: Engine) -> None:
        """Listen to the optimizers of a training."""
        if engine.plan.test_only:
            return
        means, clips = self._runs.resumed(engine), dict[str, _Clip]()
        self._runs.start(engine, clips)  # so that the run's end closes those that are there
        for name, held in engine.states.items():
            if held.optimizer is not None:
                clips[name] = _Clip(self._bounds, held.optimizer, means.get(name))

    @hookimpl
    def reid_figures(self, engine: Engine) -> dict[str, float]:
        """Show the mean norm before clipping in the epoch: ``grad_norm``, of several by model."""
        clips = self._runs.get(engine) or {}
        means = {name: clip.mean_norm() for name, clip in clips.items()}
        return {
            "grad_norm" if len(clips) == 1 else f"{name}/grad_norm": mean
            for name, mean in means.items()
            if mean is not None
        }

    @hookimpl
    def reid_epoch_start(self, engine: Engine) -> None:
        """Clip for the optimizers that train in this stage."""
        for name, clip in (self._runs.get(engine) or {}).items():
            if (optimizer := engine.states[name].optimizer) is not None:
                clip.follow(optimizer)

    @hookimpl
    def reid_epoch_end(self, engine: Engine) -> None:
        """Begin the next epoch's mean."""
        for clip in (self._runs.get(engine) or {}).values():
            clip.seen.zero_()

    @hookimpl
    def reid_checkpoint_save(self, engine: Engine) -> dict[str, Any]:
        """Keep the mean of an epoch that is under way."""
        return {name: clip.seen for name, clip in (self._runs.get(engine) or {}).items()}

    @hookimpl
    def reid_checkpoint_load(self, engine: Engine, state: dict[str, Any]) -> None:
        """Go on with it."""
        self._runs.resume(engine, state)

    @hookimpl
    def reid_run_end(self, engine: Engine) -> None:
        """Stop listening."""
        for clip in (self._runs.end(engine) or {}).values():
            clip.close()


class _Clip:
    """Clips the gradients of one optimizer.

    Attributes:
        seen: (2,) the sum of the norms in this epoch, and their number, where the gradients are.
    """

    def __init__(self, bounds: Clip, optimizer: Optimizer, seen: Tensor | None) -> None:
        self._bounds = bounds
        self._listener = StepListener(optimizer, before=self._clip)
        self.follow(optimizer)
        self.seen = torch.zeros(2, device=self._parameters[0].device)
        if seen is not None:
            self.seen.copy_(seen)

    def follow(self, optimizer: Optimizer) -> None:
        """Clip the gradients of an optimizer, which may be another than before."""
        self._parameters = [each for group in optimizer.param_groups for each in group["params"]]
        self._listener.follow(optimizer)

    def mean_norm(self) -> float | None:
        """Return the mean of the norms in this epoch; None before the first."""
        total, steps = self.seen.tolist()
        return total / steps if steps else None

    def close(self) -> None:
        """Let the optimizer step with its gradients as they are."""
        self._listener.close()

    def _clip(self) -> None:
        gradients = [each.grad for each in self._parameters if each.grad is not None]
        if not gradients:
            return
        if self._bounds.norm is not None:
            norm = clip_grad_norm_(self._parameters, self._bounds.norm)
        else:  # by clip_grad_norm_ without a bound an infinite gradient would make all of them NaN
            norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
            clip_grad_value_(self._parameters, self._bounds.value or math.inf)
        # Of a fused optimizer whose step is left out the norm is infinite.
        seen = torch.stack([norm, torch.ones_like(norm)])
        self.seen += torch.where(norm.isfinite(), seen, 0)
