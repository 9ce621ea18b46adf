"""The models in an engine's care, each with its optimizer and its scheduler."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from reidcore.engine.plan import as_names
from reidcore.engine.precision import Mechanics
from reidcore.errors import UserError, did_you_mean
from reidcore.models.adapter import adapt
from reidcore.models.layers import open_all_layers, open_specified_layers
from reidcore.models.wrapping import unwrap

_log = logging.getLogger(__name__)


class ModelHolder:
    """Holds models by name; the first one is ``model``, with ``optimizer`` and ``scheduler``.

    Args:
        mechanics: places each model on the run's device.
    """

    model: nn.Module
    optimizer: Optimizer | None
    scheduler: LRScheduler | None

    def __init__(self, mechanics: Mechanics) -> None:
        self.mechanics = mechanics
        self._models: dict[str, nn.Module] = {}
        self._optims: dict[str, Optimizer | None] = {}
        self._scheds: dict[str, LRScheduler | None] = {}

    def register_model(
        self,
        name: str = "model",
        model: nn.Module | None = None,
        optim: Optimizer | None = None,
        sched: LRScheduler | None = None,
    ) -> None:
        """Put a model, its optimizer and its scheduler into the engine's care.

        Raises:
            UserError: if the name is taken or the model is missing.
        """
        if not isinstance(model, nn.Module):
            raise UserError(f"model {name!r} is a {type(model).__name__}", "Give a torch module.")
        if name in self._models:
            raise UserError(f"a model is registered as {name!r} already", "Choose another name.")
        adapt(unwrap(model))
        self._models[name] = self.mechanics.place(model)
        if optim is not None and optim.state:
            # Restored before the weights were moved: loading puts its state where they are now.
            optim.load_state_dict(optim.state_dict())
        self._optims[name] = optim
        self._scheds[name] = sched
        if len(self._models) == 1:
            self.model, self.optimizer, self.scheduler = self._models[name], optim, sched

    def get_model_names(self, names: str | Sequence[str] | None = None) -> list[str]:
        """Return the given names, checked, or all of them.

        Raises:
            UserError: if one is not registered.
        """
        chosen = as_names(names) or tuple(self._models)
        for name in chosen:
            if name not in self._models:
                raise UserError(
                    f"no model is registered as {name!r}",
                    did_you_mean(name, self._models) or "Call register_model first.",
                )
        return list(chosen)

    def set_model_mode(self, mode: str = "train", names: str | Sequence[str] | None = None) -> None:
        """Put models into ``train`` or ``eval`` mode."""
        if mode not in ("train", "eval", "test"):
            raise UserError(f"no model mode is named {mode!r}", "Use 'train' or 'eval'.")
        for name in self.get_model_names(names):
            self._models[name].train(mode == "train")

    def get_current_lr(self, names: str | Sequence[str] | None = None) -> float:
        """Return the learning rate of the last parameter group, which new layers are in."""
        optimizer = self._optims[self.get_model_names(names)[0]]
        return float(optimizer.param_groups[-1]["lr"]) if optimizer else 0.0

    def update_lr(self, names: str | Sequence[str] | None = None) -> None:
        """Step the schedulers; called at the end of each epoch."""
        for name in self.get_model_names(names):
            scheduler = self._scheds[name]
            if scheduler is not None:
                scheduler.step()

    def two_stepped_transfer_learning(
        self,
        epoch: int,
        fixbase_epoch: int,
        open_layers: Sequence[str],
        model: nn.Module | None = None,
    ) -> None:
        """Train only ``open_layers`` in the first ``fixbase_epoch`` epochs, then everything."""
        model = self.model if model is None else model
        if epoch < fixbase_epoch and open_layers:
            _log.info("Only %s trained (epoch %d/%d)", open_layers, epoch + 1, fixbase_epoch)
            open_specified_layers(model, open_layers)
        else:
            open_all_layers(model)

    @property
    def optimizers(self) -> list[Optimizer]:
        """The optimizers of all models."""
        return [optimizer for optimizer in self._optims.values() if optimizer is not None]

    def held(self) -> list[tuple[str, nn.Module, Optimizer | None, LRScheduler | None]]:
        """Return name, model, optimizer and scheduler of each registered model."""
        return [
            (name, model, self._optims[name], self._scheds[name])
            for name, model in self._models.items()
        ]
