"""Layers that do not learn at first, so that new ones do not spoil what they hold.

As FastReID freezes a backbone for its first iterations (He et al., "FastReID", 2020).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from torch import nn

from reid_plugins_training.named_layers import networks_with
from reid_plugins_training.per_run import PerRun
from reid_plugins_training.settings import Freeze
from reid_plugins_training.stepping import StepListener
from reidcore import hookimpl
from reidcore.errors import UserError, counted
from reidcore.models import unwrap

if TYPE_CHECKING:
    from reidcore.engine import Engine

# Below the core's logger, so that a bare script shows what a run tells of itself.
_log = logging.getLogger(f"reidcore.{__name__}")


class LayerFreezing:
    """Freezes layers in the first epochs or steps of a training, then lets them learn.

    Their parameters have no gradient then, and their batch statistics stay as they are. What was
    frozen before stays so afterwards. It composes with ``fixbase_epoch``: a layer learns once
    neither of the two holds it.

    Args:
        layers: dotted names of layers or parameters.
        epochs: for so many epochs of the whole training.
        steps: for so many steps of the optimizer; give one of the two.
        bn_eval: keep the layers' running statistics as they are; else only the parameters.

    Raises:
        pydantic.ValidationError: a ``ValueError``, if neither or both durations are given, or
            something is none.
    """

    def __init__(
        self,
        layers: str | Sequence[str],
        epochs: int | None = None,
        steps: int | None = None,
        bn_eval: bool = True,
    ) -> None:
        options = {"layers": layers, "epochs": epochs, "steps": steps, "bn_eval": bn_eval}
        self._settings = Freeze.model_validate(options)
        self._runs: PerRun[_Frozen] = PerRun()

    @hookimpl
    def reid_run_start(self, engine: Engine) -> None:
        """Find the layers of a training."""
        if not engine.plan.test_only:
            steps = int(self._runs.resumed(engine).get("steps", 0))
            self._runs.start(engine, _Frozen(engine, self._settings, steps))

    @hookimpl
    def reid_epoch_start(self, engine: Engine) -> None:
        """Freeze the layers, also those that ``fixbase_epoch`` has just opened, or open them."""
        if frozen := self._runs.get(engine):
            frozen.begin_epoch()

    @hookimpl
    def reid_step_end(self, engine: Engine) -> None:
        """Open the layers once their steps are done."""
        if frozen := self._runs.get(engine):
            frozen.end_step()

    @hookimpl
    def reid_checkpoint_save(self, engine: Engine) -> dict[str, Any]:
        """Keep how many steps were taken."""
        frozen = self._runs.get(engine)
        return {"steps": frozen.steps} if frozen else {}

    @hookimpl
    def reid_checkpoint_load(self, engine: Engine, state: dict[str, Any]) -> None:
        """Go on counting."""
        self._runs.resume(engine, state)

    @hookimpl
    def reid_run_end(self, engine: Engine) -> None:
        """Leave the layers as they were."""
        if frozen := self._runs.end(engine):
            frozen.close()


class _Frozen:
    """The layers of one run.

    Attributes:
        steps: those that the first optimizer has taken in the whole training.
    """

    def __init__(self, engine: Engine, settings: Freeze, steps: int) -> None:
        self._engine, self._settings = engine, settings
        self.steps = steps
        layers = list(networks_with(engine, settings.layers))
        self._parameters = [each for found in layers for each in _parameters(*found)]
        self._norms = [each for found in layers if settings.bn_eval for each in _norms(*found)]
        self._held_parameters: list[nn.Parameter] = []
        self._held_norms: list[nn.Module] = []
        self._require_others_to_learn()
        self._tell_if_never_opened()
        is_scaled = engine.accelerator.scaler.is_enabled()
        first = engine.optimizers[0]
        self._listener = StepListener(first, after=self._count, is_scaled=is_scaled)

    def begin_epoch(self) -> None:
        """Hold the layers or let go of them; all of the model was put into training mode."""
        self._listener.follow(self._engine.optimizers[0])
        self._held_norms = []
        if self._is_over:
            self._let_go()
        else:
            self._hold()

    def end_step(self) -> None:
        """Let go of the layers where this was their last step."""
        if self._settings.steps is not None and self._is_over:
            self._let_go()

    def close(self) -> None:
        """Let go of the layers and stop counting."""
        self._let_go()
        self._listener.close()

    def _count(self) -> None:
        self.steps += 1

    @property
    def _is_over(self) -> bool:
        if self._settings.steps is not None:
            return self.steps >= self._settings.steps
        return self._engine.epoch >= (self._settings.epochs or 0)

    def _hold(self) -> None:
        parameters = [each for each in self._parameters if each.requires_grad]
        self._held_norms = [each for each in self._norms if each.training]
        for parameter in parameters:
            parameter.requires_grad_(False)
        for norm in self._held_norms:
            norm.eval()
        if parameters:
            if not self._held_parameters:
                _log.info("Frozen for %s: %s", self._settings.duration, self._names)
            self._held_parameters += parameters
            self._engine.trained_parameters_changed()

    def _let_go(self) -> None:
        for parameter in self._held_parameters:
            parameter.requires_grad_(True)
        for norm in self._held_norms:
            norm.train()
        if self._held_parameters:
            _log.info("Opened: %s", self._names)
            self._engine.trained_parameters_changed()
        self._held_parameters, self._held_norms = [], []

    @property
    def _names(self) -> str:
        return ", ".join(self._settings.layers)

    def _tell_if_never_opened(self) -> None:
        epochs, last = self._settings.epochs, self._engine.plan.max_epoch
        if epochs is not None and epochs >= last:
            _log.warning(
                "%s: frozen for %s, and the training has %s: they never learn. Lower "
                "settings.training.freeze.epochs, or raise train.max_epoch.",
                self._names,
                self._settings.duration,
                counted(last, "epoch"),
            )

    def _require_others_to_learn(self) -> None:
        """Refuse to freeze all that would learn."""
        plan, frozen = self._engine.plan, set(map(id, self._parameters))
        groups = [group for each in self._engine.optimizers for group in each.param_groups]
        learning = {id(each) for group in groups for each in group["params"] if each.requires_grad}
        if learning <= frozen:
            raise UserError(
                f"{self._names} frozen, nothing is left to learn",
                "Leave a layer out of settings.training.freeze.layers, such as the classifier.",
            )
        if plan.fixbase_epoch and plan.open_layers and self._engine.epoch < plan.fixbase_epoch:
            opened = set(map(id, _parameters(unwrap(self._engine.model), plan.open_layers)))
            if opened & learning <= frozen:
                raise UserError(
                    f"train.fixbase_epoch trains {', '.join(plan.open_layers)} alone at first, "
                    "which settings.training.freeze.layers hold",
                    "Leave them out of one of the two.",
                )


def _parameters(network: nn.Module, names: Sequence[str]) -> Iterator[nn.Parameter]:
    """Yield the parameters that are named, or are in a layer that is."""
    layers, parameters = dict(network.named_modules()), dict(network.named_parameters())
    for name in names:
        yield from layers[name].parameters() if name in layers else [parameters[name]]


def _norms(network: nn.Module, names: Sequence[str]) -> Iterator[nn.Module]:
    """Yield the modules in the named layers that keep running statistics."""
    layers = dict(network.named_modules())
    for module in chain.from_iterable(layers[name].modules() for name in names if name in layers):
        if getattr(module, "running_mean", None) is not None:
            yield module
