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
        options={
            "loss.softmax.label_smooth": "label_smooth",
            "loss.softmax.eps": "eps",
            "loss.softmax.form": "form",
            "loss.softmax.branch_weights": "branch_weights_x",
        },
    )
    for name, (factory, summary) in _LOSSES.items():
        registry.add(name, f"reid_plugins_engines.losses:{factory}", summary=summary)


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
    registry.add(
        "HardIdentitySampler",
        "reid_plugins_engines.samplers:HardIdentitySampler",
        summary="batches of an identity and those the network confuses it with, K images each",
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


@hookimpl
def reid_epoch_start(engine: Engine) -> None:
    """Tell criteria that have ``set_epoch`` the epoch of their stage, counted from 0.

    Where another stage begins, its losses are made ready and looked at as a run's are at its start.
    """
    if engine.plan.start_epoch < engine.epoch == engine.stage.first:
        from reid_plugins_engines import loss_state, trainability

        loss_state.place(engine)
        trainability.check_training(engine)
    for _, criterion in engine.terms.values():
        if callable(tell := getattr(criterion, "set_epoch", None)):
            tell(engine.epoch - engine.stage.first)


# Name -> factory, and what it is.
_LOSSES = {
    "center": ("center_term", "squared distance from a learnt centre of each identity"),
    "circle": ("circle_term", "cosines of pairs, weighed by how far they are off"),
    "clothes_adversarial": (
        "clothes_adversarial_terms",
        "outfits of a person that features do not tell apart (CAL)",
    ),
    "contrastive": ("contrastive_term", "positives near, negatives beyond a margin"),
    "cosface_pairs": ("cosface_pairs_term", "cosines of positives above negatives' by a margin"),
    "focal": ("focal_term", "cross entropy that looks away from what is recognised"),
    "instance": ("instance_term", "each identity of a batch told from the others"),
    "multi_similarity": ("multi_similarity_term", "hard pairs, weighed by all their cosines"),
    "supcon": ("supcon_term", "each positive against all other images of the batch"),
    "weighted_triplet": ("weighted_triplet_term", "all pairs of an anchor, harder ones heavier"),
}
