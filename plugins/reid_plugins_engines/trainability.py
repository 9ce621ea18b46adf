"""Who is trained: checked, and said by name, before the first step."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import nn

from reid_plugins_engines.loss_state import learning_losses
from reid_plugins_engines.pairs import check_pairs
from reidcore.errors import UserError, counted
from reidcore.models import unwrap
from reidcore.plugins import CORE

if TYPE_CHECKING:
    from reidcore.engine import Engine

# Below the core's logger, so that a bare script shows what a run tells of itself.
_log = logging.getLogger(f"reidcore.{__name__}")

_MOST_SHOWN = 4
"""How many layers a message names."""


@dataclass(frozen=True)
class Trainability:
    """Which parameters of a model or a loss a run trains, by their dotted names.

    Attributes:
        label: what messages call the module.
        trained: those that an optimizer updates.
        frozen: those without a gradient (``requires_grad=False``), as the user left them.
        forgotten: those with a gradient that no optimizer holds.
    """

    label: str
    trained: Sequence[str]
    frozen: Sequence[str]
    forgotten: Sequence[str]

    @classmethod
    def of(cls, label: str, module: nn.Module, held: Collection[int]) -> Trainability:
        """Look at a module, wrapped or not.

        Args:
            label: what messages call it.
            module: the model or loss.
            held: the ``id`` of each parameter that some optimizer holds.
        """
        named = dict(unwrap(module).named_parameters())
        frozen = [name for name, parameter in named.items() if not parameter.requires_grad]
        trained = [name for name in named if name not in frozen and id(named[name]) in held]
        return cls(label, trained, frozen, [n for n in named if n not in {*frozen, *trained}])

    def __str__(self) -> str:
        parts = [f"{len(self.trained)} of {counted(len(self._names), 'parameter')} of {self.label}"]
        parts += [f"frozen: {self._layers(self.frozen)}"] if self.frozen else []
        parts += [f"in no optimizer: {self._layers(self.forgotten)}"] if self.forgotten else []
        return "; ".join(parts)

    @property
    def untrained(self) -> list[str]:
        """The parameters that stay as they are; of a model that is trained whole there are none."""
        return [*self.frozen, *self.forgotten]

    @property
    def _names(self) -> list[str]:
        return [*self.trained, *self.untrained]

    def _layers(self, names: Sequence[str]) -> str:
        layers = layers_of(names, self._names)
        more = f" and {len(layers) - _MOST_SHOWN} more" if len(layers) > _MOST_SHOWN else ""
        return ", ".join(layers[:_MOST_SHOWN]) + more


def check_training(engine: Engine) -> None:
    """Say what of the models and losses a run trains, and refuse one that could train nothing.

    Raises:
        UserError: if no model has an optimizer, an optimizer holds nothing of the models and
            losses, everything that is to be trained is frozen, or every loss has the weight 0.
    """
    _check_weights(engine)
    states, losses = engine.states, learning_losses(engine)
    if not engine.optimizers:
        names = ", ".join(map(repr, states))
        raise UserError(
            f"nothing would be trained: no optimizer was given for model {names}",
            "Build one, optimizer=build_optimizer(model), and give it to the engine.",
        )
    modules = {f"model {name!r}": state.model for name, state in states.items()}
    modules |= {f"loss {name!r}": criterion for name, criterion in losses.items()}
    _check_optimizers(engine, list(modules.values()))
    held = {
        identity for optimizer in engine.optimizers for identity in _ids(optimizer.param_groups)
    }
    found = [Trainability.of(label, module, held) for label, module in modules.items()]
    if not any(each.trained for each in found[: len(states)]):
        raise UserError(
            f"nothing would be trained: {'; '.join(map(str, found))}",
            "Set requires_grad=True on what is to learn, and build the optimizer of that model.",
        )
    _check_open_layers(found[0], engine)
    _warn_of_few_classes(engine)
    _warn_of_late_losses(engine)
    check_pairs(engine)
    for each in found:
        is_odd = bool(each.forgotten and (each.trained or each.label.startswith("loss")))
        level = logging.WARNING if is_odd else logging.INFO if each.untrained else logging.DEBUG
        _log.log(level, "trained: %s", each)


def layers_of(chosen: Sequence[str], names: Sequence[str]) -> list[str]:
    """Return the largest layers, and the parameters beside them, that make up the chosen ones.

    Args:
        chosen: dotted names of parameters.
        names: those of all parameters of the network.
    """
    others = set(names).difference(chosen)
    mixed = {layer for name in others for layer in _layers_around(name)}
    largest = [
        next((layer for layer in _layers_around(name) if layer not in mixed), name)
        for name in chosen
    ]
    return list(dict.fromkeys(largest))


def _layers_around(parameter: str) -> Iterator[str]:
    """Yield the layers that a parameter lies in, the outermost first."""
    parts = parameter.split(".")
    return (".".join(parts[:depth]) for depth in range(1, len(parts)))


def _check_optimizers(engine: Engine, modules: Sequence[nn.Module]) -> None:
    """Refuse an optimizer of a model that the engine does not have."""
    known = {id(parameter) for module in modules for parameter in module.parameters()}
    for name, state in engine.states.items():
        if state.optimizer and known.isdisjoint(_ids(state.optimizer.param_groups)):
            raise UserError(
                f"the optimizer of model {name!r} holds none of its "
                f"{len(list(state.model.parameters()))} parameters: it was built for another "
                "model, or for a copy of this one",
                "Build it from the very model that the engine is given: build_optimizer(model).",
            )


def _check_weights(engine: Engine) -> None:
    """Refuse losses that all weigh nothing, where no plugin adds one or has a step of its own."""
    if not engine.terms or any(weight for weight, _ in engine.terms.values()):
        return
    adding = engine.plugins.implementations("reid_compute_losses")
    steps = engine.plugins.implementations("reid_forward_backward")
    replacing = [(plugin, each) for plugin, each in steps if not each.wrapper]
    if all(plugin.name == CORE for plugin, _ in (*adding, *replacing)):
        raise UserError(
            f"nothing would be trained: all losses have the weight 0 ({', '.join(engine.terms)})",
            "Give one of loss.terms a weight above 0.",
        )


def _check_open_layers(model: Trainability, engine: Engine) -> None:
    """Refuse to train some layers alone, at the last stage's start, that cannot be trained."""
    plan, stage = engine.plan, engine.stage
    is_on = plan.open_layers and stage.is_last and plan.fixbase_epoch > engine.epoch - stage.first
    if is_on and not any(
        f"{name}.".startswith(f"{layer}.") for name in model.trained for layer in plan.open_layers
    ):
        raise UserError(
            f"fixbase_epoch={plan.fixbase_epoch} trains {' and '.join(plan.open_layers)} alone at "
            f"first, and nothing of that can be: {model}",
            "Open other layers, set requires_grad=True there, or set train.fixbase_epoch=0.",
        )


def _warn_of_few_classes(engine: Engine) -> None:
    """Say where the model is known to have fewer classes than there are identities.

    It is no error by itself: a step of one's own may have labels of its own.
    """
    classifier = getattr(unwrap(engine.model), "classifier", None)
    classes, pids = getattr(classifier, "out_features", None), engine.datamanager.num_train_pids
    if isinstance(classes, int) and classes < pids:
        _log.warning(
            "the model has %d classes, and the data %d identities: build it with "
            "num_classes=datamanager.num_train_pids, or learn from its features alone",
            classes,
            pids,
        )


def _warn_of_late_losses(engine: Engine) -> None:
    """Say which losses wait for an epoch, their ``start_epoch``, that the stage does not reach."""
    epochs = engine.plan.max_epoch - engine.stage.first
    for name, (_, criterion) in engine.terms.items():
        if (start := getattr(criterion, "start_epoch", 0)) >= epochs:
            _log.warning(
                "the loss %r begins after %s, and the training has %d: it never does. Lower its "
                "start_epoch, or raise train.max_epoch.",
                name,
                counted(start, "epoch"),
                epochs,
            )


def _ids(groups: Sequence[dict[str, Sequence[nn.Parameter]]]) -> set[int]:
    return {id(parameter) for group in groups for parameter in group["params"]}
