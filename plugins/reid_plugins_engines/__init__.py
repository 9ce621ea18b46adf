"""The bundled engines, with their losses and samplers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reidcore import hookimpl

if TYPE_CHECKING:
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
