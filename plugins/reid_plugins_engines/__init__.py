"""The bundled engines, with their losses and samplers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reidcore import hookimpl

if TYPE_CHECKING:
    from reidcore.registry import Registrar


@hookimpl
def reid_register_engines(registry: Registrar) -> None:
    """Register the engines that ``loss.name`` chooses."""
    registry.add(
        "softmax",
        "reid_plugins_engines.softmax:SoftmaxEngine",
        summary="identity classification by cross entropy",
    )


@hookimpl
def reid_register_losses(registry: Registrar) -> None:
    """Register the losses that ``loss.terms`` weighs."""
    registry.add(
        "softmax",
        "reid_plugins_engines.losses:softmax_term",
        summary="cross entropy over identities, with label smoothing",
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
