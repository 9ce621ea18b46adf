"""What ``train.speed=fast`` does on CUDA for as long as a run lasts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from reid_plugins_training.per_run import PerRun
from reidcore import hookimpl
from reidcore.engine import rank_and_world

if TYPE_CHECKING:
    from reidcore.engine import Engine


class FastCuda:
    """Multiplies float32 as TF32, times the kernels of convolutions, and looks at losses late.

    A loss is looked at after the step that it is of where the fused optimizers guard the weights
    until then. Several processes look at once, since all of them have to stop at the same step, and
    each would see a late loss at a time of its own. On other devices nothing changes.
    """

    def __init__(self) -> None:
        self._before: PerRun[tuple[bool, bool, bool]] = PerRun()

    @hookimpl(tryfirst=True)
    def reid_run_start(self, engine: Engine) -> None:
        """Begin, before plugins that need each loss to be looked at in its own step."""
        if engine.device.type != "cuda":
            return
        cuda, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
        self._before.start(engine, (cuda.allow_tf32, cudnn.allow_tf32, cudnn.benchmark))
        cuda.allow_tf32 = cudnn.allow_tf32 = cudnn.benchmark = True
        groups = (group for optimizer in engine.optimizers for group in optimizer.param_groups)
        is_guarded = all(group.get("fused") for group in groups)
        engine.accelerator.finite.is_late = is_guarded and rank_and_world()[1] == 1

    @hookimpl
    def reid_run_end(self, engine: Engine) -> None:
        """Leave torch and the engine as they were."""
        if before := self._before.end(engine):
            cuda, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
            cuda.allow_tf32, cudnn.allow_tf32, cudnn.benchmark = before
            engine.accelerator.finite.is_late = False
