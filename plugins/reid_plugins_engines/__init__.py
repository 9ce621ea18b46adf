"""The bundled engines, with their losses and samplers, and a look at what a run trains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reidcore import hookimpl

if TYPE_CHECKING:
    from reidcore.engine import Engine
    from reidcore.registry import Registrar


@hookimpl
def reid_register_engines(registry: Registrar) -> None:
    """Register the engines that scripts build by name; ``loss.name`` chooses the losses."""
    registry.add(
        "softmax",
        "reid_plugins_engines.softmax:SoftmaxEngine",
        summary="identity classification by cross entropy",
    )
    registry.add(
        "triplet",
        "reid_plugins_engines.triplet:TripletEngine",
        summary="batch-hard triplet loss, with cross entropy beside it",
    )


@hookimpl
def reid_register_losses(registry: Registrar) -> None:
    """Register the losses that ``loss.terms`` weighs."""
    registry.add(
        "softmax",
        "reid_plugins_engines.losses:softmax_term",
        summary="cross entropy over identities, with label smoothing",
    )
    registry.add(
        "triplet",
        "reid_plugins_engines.losses:triplet_terms",
        summary="batch-hard triplet loss, with cross entropy beside it",
        options={"loss.softmax.label_smooth": "label_smooth"},
    )
    registry.add(
        "center",
        "reid_plugins_engines.losses:center_term",
        summary="squared distance from a learnt centre of each identity",
    )


@hookimpl
def reid_register_samplers(registry: Registrar) -> None:
    """Register the orders in which training images are seen."""
    registry.add(
        "RandomSampler",
        "reid_plugins_engines.samplers:RandomSampler",
        summary="every image once an epoch, shuffled",
    )
    registry.add(
        "SequentialSampler",
        "reid_plugins_engines.samplers:SequentialSampler",
        summary="every image once an epoch, in the order of the dataset",
    )
    registry.add(
        "RandomIdentitySampler",
        "reid_plugins_engines.samplers:RandomIdentitySampler",
        summary="batches of P identities with K images each",
    )
    registry.add(
        "RandomDomainSampler",
        "reid_plugins_engines.samplers:RandomDomainSampler",
        summary="batches with as many images of each of num_cams cameras",
    )
    registry.add(
        "RandomDatasetSampler",
        "reid_plugins_engines.samplers:RandomDatasetSampler",
        summary="batches with as many images of each of num_datasets datasets",
    )
    registry.add(
        "CameraIdentitySampler",
        "reid_plugins_engines.samplers:CameraIdentitySampler",
        summary="batches of P identities with K images each, by as many cameras as can be",
    )
    registry.add(
        "BalancedDomainSampler",
        "reid_plugins_engines.samplers:BalancedDomainSampler",
        summary="batches with as many identities of each source (or camera), K images each",
    )


@hookimpl(trylast=True)
def reid_run_start(engine: Engine) -> None:
    """Make losses ready to learn, and say who is trained once other plugins have had their say."""
    from reid_plugins_engines import loss_state, trainability

    loss_state.place(engine)
    if not engine.plan.test_only and engine.plan.start_epoch < engine.plan.max_epoch:
        trainability.check_training(engine)


@hookimpl
def reid_checkpoint_save(engine: Engine) -> dict[str, Any]:
    """Keep what losses have learnt."""
    from reid_plugins_engines.loss_state import learning_losses

    return {name: each.state_dict() for name, each in learning_losses(engine).items()}


@hookimpl
def reid_checkpoint_load(engine: Engine, state: Mapping[str, Any]) -> None:
    """Give losses back what they had learnt."""
    from reid_plugins_engines import loss_state

    loss_state.restore(engine, state)
