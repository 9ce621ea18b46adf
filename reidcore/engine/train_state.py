"""A model in training, with what changes its weights."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from reidcore.models.adapter import adapted
from reidcore.models.layers import unwrap


@dataclass
class TrainState:
    """A model, its optimizer and its scheduler, as an engine keeps them.

    Attributes:
        model: the network, on the engine's device.
        optimizer: over its parameters; None if it is not trained.
        scheduler: stepped after each epoch.
        averaged: a copy of the model whose weights are the average of those in training, where a
            plugin keeps one: checkpoints hold it as the model.
        adapter: calls the model under the model contract: itself or, around a foreign module, an
            adapter. Tests call it; of a model that came in a DDP of the user's, what that wraps.
        network: what training calls: the adapter, and in a run of several processes DDP around it.
    """

    model: nn.Module
    optimizer: Optimizer | None = None
    scheduler: LRScheduler | None = None
    averaged: nn.Module | None = None
    adapter: nn.Module = field(init=False, repr=False)
    network: nn.Module = field(init=False, repr=False)

    def __post_init__(self) -> None:
        model = self.model
        if isinstance(model, DistributedDataParallel):
            model = cast("nn.Module", model.module)
        self.adapter = self.network = adapted(model)

    @property
    def lr(self) -> float:
        """The learning rate of the last parameter group, which new layers are in; 0 without any."""
        return float(self.optimizer.param_groups[-1]["lr"]) if self.optimizer else 0.0

    def state_dict(self) -> dict[str, Any]:
        """Return the state of all three, under a checkpoint's keys."""
        return {
            "state_dict": unwrap(self.averaged or self.model).state_dict(),
            "optimizer": self.optimizer.state_dict() if self.optimizer else None,
            "scheduler": self.scheduler.state_dict() if self.scheduler else None,
        }
