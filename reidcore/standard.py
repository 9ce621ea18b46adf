"""The core's own components, registered the way every plugin registers its own.

Transforms, optimizers, schedulers, protocols and recipes; models, datasets, losses, samplers and
engines come from other plugins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reidcore import hookimpl

if TYPE_CHECKING:
    from reidcore.registry import ConfigRegistrar, Registrar


@hookimpl
def reid_register_transforms(registry: Registrar) -> None:
    """Register Torchreid's training transforms."""
    package = "reidcore.data.transforms"
    registry.add("random_flip", f"{package}.flip:RandomFlip", summary="mirror every other image")
    registry.add(
        "random_crop", f"{package}.crop:RandomCrop", summary="enlarge by an eighth, then crop"
    )
    registry.add(
        "random_patch", f"{package}.patch:RandomPatch", summary="paste a patch of another image"
    )
    registry.add(
        "color_jitter", f"{package}.jitter:ColorJitter", summary="change brightness and contrast"
    )
    registry.add("random_erase", f"{package}.erase:RandomErase", summary="blank out a rectangle")


@hookimpl
def reid_register_optimizers(registry: Registrar) -> None:
    """Register Torchreid's optimizers."""
    package = "reidcore.optim.optimizers"
    registry.add("adam", f"{package}:adam", summary="Adam")
    registry.add("amsgrad", f"{package}:amsgrad", summary="Adam that never forgets a large gradient")
    registry.add("sgd", f"{package}:sgd", summary="stochastic gradient descent with momentum")
    registry.add("rmsprop", f"{package}:rmsprop", summary="RMSprop")
    registry.add("radam", f"{package}:radam", summary="rectified Adam, weight decay decoupled")


@hookimpl
def reid_register_schedulers(registry: Registrar) -> None:
    """Register Torchreid's learning-rate schedulers."""
    package = "reidcore.optim.schedulers"
    registry.add("single_step", f"{package}:single_step", summary="drop every so many epochs")
    registry.add("multi_step", f"{package}:multi_step", summary="drop at the given epochs")
    registry.add("cosine", f"{package}:cosine", summary="fall to zero along a cosine")


@hookimpl
def reid_register_protocols(registry: Registrar) -> None:
    """Register the evaluation protocols."""
    package = "reidcore.evaluation.protocols"
    registry.add(
        "market1501", f"{package}:market1501", summary="same person and camera ignored; the usual"
    )


@hookimpl
def reid_register_configs(registry: ConfigRegistrar) -> None:
    """Register the ready recipes."""
    registry.add(
        "quickstart",
        "reidcore:configs/quickstart.yaml",
        summary="OSNet on the synthetic dataset, three minutes on a laptop",
    )
