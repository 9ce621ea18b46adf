"""Deep mutual learning: networks that are taught together, each by the labels and by the others.

Zhang et al., Deep Mutual Learning, CVPR 2018: beside its own losses, each network minimises the
divergence of its predictions from those of each of the others, which are constants to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from reid_plugins_training.soft_targets import soft_target_loss
from reidcore.engine import Engine, EngineData, Precision, RunPlan, StepOutcome, TrainState
from reidcore.errors import ConfigError, UserError, did_you_mean, quoted
from reidcore.losses import CrossEntropyLoss, TripletLoss
from reidcore.metrics import accuracy
from reidcore.models import Outputs, unwrap
from reidcore.plugins import Plugins

ALL = "all"
_EVERY = (ALL, "both")  # the second is Torchreid's

Terms = dict[str, tuple[float, Callable[..., Tensor]]]


class MutualLearningEngine(Engine):
    """Trains two or more networks together; each has its optimizer, schedule and checkpoints.

    Args:
        datamanager: the data.
        states: name -> a network with its optimizer and its scheduler.
        terms: the losses of each network by itself, name -> weight and criterion.
        weight_ml: weight of the mutual term of each network.
        temperature: softens the predictions that are compared.
        deploy: the network that is tested: a name of ``states``, or ``all`` for the features of
            all of them, one after the other.
        use_gpu: use CUDA or MPS where there is one.
        plugins: whose hooks are called; by default the current plugins.
        precision: mixed precision, memory layout and accumulation.
        step: the plugin whose replacement of the step acts, or ``core`` for none.

    Raises:
        UserError: if there are fewer than two networks, two of them have equal weights, or a loss
            learns parameters of its own.
        ConfigError: if no network has a loss of its own, ``deploy`` names none of them, or a
            weight or the temperature is out of range.
    """

    def __init__(
        self,
        datamanager: EngineData,
        states: Mapping[str, TrainState],
        terms: Terms,
        weight_ml: float = 1.0,
        temperature: float = 1.0,
        deploy: str = "",
        use_gpu: bool = True,
        *,
        plugins: Plugins | None = None,
        precision: Precision | None = None,
        step: str | None = None,
    ) -> None:
        super().__init__(datamanager, use_gpu, plugins=plugins, precision=precision, step=step)
        _check_networks({name: state.model for name, state in states.items()})
        _check_terms(terms, weight_ml, temperature)
        for name, state in states.items():
            self.register_model(name, state.model, state.optimizer, state.scheduler)
        self.terms = terms
        self.weight_ml, self.temperature = weight_ml, temperature
        self.tested = self._names_of(deploy or next(iter(states)))
        self._outputs: Mapping[str, Outputs] = {}

    # -- training ----------------------------------------------------------------------------------

    def losses(self, batch: Mapping[str, Any]) -> dict[str, Tensor]:
        """Run all networks on a batch and return their terms, named ``<network>/<term>``.

        Plugins that add loss terms are asked for each network.
        """
        parsed = self.parse(batch)
        self._outputs = {name: self.outputs(parsed, name) for name in self.states}
        losses: dict[str, Tensor] = {}
        # The first comes last: its outputs are those that the step's accuracy is of.
        for name, own in reversed(self._outputs.items()):
            terms = self.losses_of(parsed, own)
            mutual = {"mutual": self._mutual(name)} if self.weight_ml else {}
            losses = {f"{name}/{term}": each for term, each in (terms | mutual).items()} | losses
        return losses

    def outcome(self, losses: Mapping[str, Tensor]) -> StepOutcome:
        """Return what a step reports: all terms, their sum, and the accuracy of each network."""
        outcome = super().outcome(losses)
        pids = self.trace.pids
        others = {
            f"{name}/acc": accuracy(_first_logits(own), pids)[0].squeeze()
            for name, own in list(self._outputs.items())[1:]
            if outcome.accuracy is not None and pids is not None
        }
        self._outputs = {}
        return StepOutcome(
            {**outcome.losses, **others, "loss": outcome.total}, accuracy=outcome.accuracy
        )

    def _mutual(self, name: str) -> Tensor:
        own = self._outputs[name]
        terms = [
            soft_target_loss(own, other, self.temperature)
            for peer, other in self._outputs.items()
            if peer != name
        ]
        return self.weight_ml * torch.stack(terms).mean()

    def two_stepped_transfer_learning(
        self,
        epoch: int,
        fixbase_epoch: int,
        open_layers: Sequence[str],
        model: nn.Module | None = None,
    ) -> None:
        """Train ``open_layers`` alone in the first epochs, in every network unless one is given."""
        chosen = [state.model for state in self.states.values()] if model is None else [model]
        for each in chosen:
            super().two_stepped_transfer_learning(epoch, fixbase_epoch, open_layers, each)

    # -- testing -----------------------------------------------------------------------------------

    def execute(self, plan: RunPlan) -> dict[str, Any]:
        """Carry out a plan.

        Raises:
            UserError: if a configuration asks to test further networks, and brings no weights for
                them.
        """
        is_bare = self.config is not None and self.resume_point is None
        further = [name for name in self.tested if name != next(iter(self.states))]
        if plan.test_only and is_bare and further:
            raise UserError(
                f"nobody trained {' and '.join(map(repr, further))}: model.load_weights is for the "
                "first network alone",
                "Give the checkpoint of a run, model.resume=FILE, which has the others beside it.",
            )
        return super().execute(plan)

    def extract_features(
        self, input: Tensor, labels: Mapping[str, Any] | None = None, name: str | None = None
    ) -> Tensor:
        """Return the features ``(B, D)`` of the network that is tested, or of all in a row."""
        names = self.tested if name is None else [name]
        return torch.cat(
            [
                super(MutualLearningEngine, self).extract_features(input, labels, each)
                for each in names
            ],
            dim=1,
        )

    def _names_of(self, deploy: str) -> list[str]:
        if deploy in _EVERY:
            return list(self.states)
        if deploy not in self.states:
            choices = [*self.states, ALL]
            raise ConfigError(
                f"deploy={quoted(deploy)} is no network that is trained",
                did_you_mean(deploy, choices) or f"Use one of: {', '.join(choices)}.",
            )
        return [deploy]


class ImageDMLEngine(MutualLearningEngine):
    """Mutual learning of two networks, under Torchreid's name and arguments; video is taken too.

    Args:
        datamanager: has ``num_train_pids`` and the loaders.
        model1, model2: the networks, registered under these names.
        optimizer1, optimizer2: over the parameters of each.
        scheduler1, scheduler2: stepped after each epoch.
        margin: of the triplet loss.
        weight_t: weight of the triplet loss.
        weight_x: weight of the cross entropy.
        weight_ml: weight of the mutual term.
        use_gpu: use CUDA or MPS where there is one.
        label_smooth: smooth the targets of the cross entropy.
        deploy: what is tested: ``model1``, ``model2``, or ``both``.
        temperature: softens the predictions that are compared.
        core: the other arguments of `MutualLearningEngine`, such as ``precision``.
    """

    def __init__(
        self,
        datamanager: EngineData,
        model1: nn.Module,
        optimizer1: Optimizer | None,
        scheduler1: LRScheduler | None,
        model2: nn.Module,
        optimizer2: Optimizer | None,
        scheduler2: LRScheduler | None,
        margin: float = 0.3,
        weight_t: float = 0.5,
        weight_x: float = 1.0,
        weight_ml: float = 1.0,
        use_gpu: bool = True,
        label_smooth: bool = True,
        deploy: str = "model1",
        *,
        temperature: float = 1.0,
        **core: Any,
    ) -> None:
        states = {
            "model1": TrainState(model1, optimizer1, scheduler1),
            "model2": TrainState(model2, optimizer2, scheduler2),
        }
        terms = _usual_terms(datamanager, margin, weight_t, weight_x, label_smooth)
        super().__init__(
            datamanager, states, terms, weight_ml, temperature, deploy, use_gpu, **core
        )


def dml(
    datamanager: EngineData,
    model: nn.Module,
    optimizer: Optimizer | None,
    scheduler: LRScheduler | None,
    terms: Terms,
    build_state: Callable[[str], TrainState],
    *,
    models: Sequence[str] = ("",),
    margin: float = 0.3,
    weight_t: float = 0.5,
    weight_x: float = 1.0,
    weight_ml: float = 1.0,
    temperature: float = 1.0,
    label_smooth: bool = True,
    deploy: str = "model",
    use_gpu: bool = True,
    plugins: Plugins | None = None,
    precision: Precision | None = None,
    step: str | None = None,
) -> MutualLearningEngine:
    """Make the engine that the configuration's section ``loss.dml`` describes.

    Args:
        datamanager: the data.
        model: the first network, which is registered as ``model``.
        optimizer: over its parameters.
        scheduler: stepped after each epoch.
        terms: what ``loss.terms`` weighs; where there are any, they take the place of the triplet
            loss and the cross entropy.
        build_state: builds a further network by its name.
        models: the names of the further networks, ``model2`` and so on; an empty one is that of
            the first.
        margin: of the triplet loss.
        weight_t: weight of the triplet loss.
        weight_x: weight of the cross entropy.
        weight_ml: weight of the mutual term.
        temperature: softens the predictions that are compared.
        label_smooth: smooth the targets of the cross entropy.
        deploy: the network that is tested, or ``all``.
        use_gpu: use CUDA or MPS where there is one.
        plugins: whose hooks are called.
        precision: mixed precision, memory layout and accumulation.
        step: the plugin whose replacement of the step acts.
    """
    states = {"model": TrainState(model, optimizer, scheduler)}
    states |= {f"model{number}": build_state(name) for number, name in enumerate(models, 2)}
    own = terms or _usual_terms(datamanager, margin, weight_t, weight_x, label_smooth)
    return MutualLearningEngine(
        datamanager,
        states,
        own,
        weight_ml=weight_ml,
        temperature=temperature,
        deploy=deploy,
        use_gpu=use_gpu,
        plugins=plugins,
        precision=precision,
        step=step,
    )


def _usual_terms(
    datamanager: EngineData, margin: float, weight_t: float, weight_x: float, label_smooth: bool
) -> Terms:
    """Return the terms of Torchreid's engine; one of weight 0 is left out."""
    softmax = CrossEntropyLoss(datamanager.num_train_pids, label_smooth=label_smooth)
    weighted: Terms = {"softmax": (weight_x, softmax), "triplet": (weight_t, TripletLoss(margin))}
    return {name: term for name, term in weighted.items() if term[0]}


def _check_networks(models: Mapping[str, nn.Module]) -> None:
    """Refuse networks that have nothing to learn from each other."""
    if len(models) < 2:
        raise UserError(
            "mutual learning needs two networks or more", "Name the others: loss.dml.models=NAME."
        )
    names = list(models)
    for position, name in enumerate(names):
        for other in names[position + 1 :]:
            if _are_equal(models[name], models[other]):
                raise UserError(
                    f"the networks {name!r} and {other!r} have the same weights: they give the "
                    "same predictions, and would learn nothing from each other",
                    "Build each by build_model, or give them other weights to start from.",
                )


def _are_equal(left: nn.Module, right: nn.Module) -> bool:
    own, other = (dict(unwrap(each).named_parameters()) for each in (left, right))
    return own.keys() == other.keys() and all(
        own[name].shape == other[name].shape
        and torch.equal(own[name].detach().cpu(), other[name].detach().cpu())
        for name in own
    )


def _check_terms(terms: Terms, weight_ml: float, temperature: float) -> None:
    if not terms:
        raise ConfigError(
            "networks that learn from each other alone learn no identities",
            "Give loss.dml.weight_x or loss.dml.weight_t above 0.",
        )
    if not temperature > 0 or not weight_ml >= 0 or any(w < 0 for w, _ in terms.values()):
        weights = ", ".join(f"{name} {weight:g}" for name, (weight, _) in terms.items())
        raise ConfigError(
            f"temperature={temperature:g}, weights: mutual {weight_ml:g}, {weights}",
            "Give a temperature above 0, and weights of 0 or more.",
        )
    for name, (_, criterion) in terms.items():
        if isinstance(criterion, nn.Module) and criterion.state_dict():
            raise UserError(
                f"the loss {name!r} has a state of its own, which two networks cannot share",
                f"Leave {name!r} out of loss.terms.",
            )


def _first_logits(outputs: Outputs) -> Tensor:
    logits = outputs.logits
    return (logits if isinstance(logits, Tensor) else logits[0]).detach()
