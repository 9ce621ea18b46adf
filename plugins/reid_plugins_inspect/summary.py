"""A model's size and cost, found without its weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from reid_plugins_inspect.complexity import compute_model_complexity
from reidcore.errors import UserError
from reidcore.models import adapted, build_model, unwrap, usual_size

if TYPE_CHECKING:
    from reidcore.plugins import Plugins

USUAL_CLASSES = 751
"""Identities of Market-1501: some networks run their classifier at test time, which then counts."""


@dataclass(frozen=True)
class ModelSummary:
    """What a model costs on one image.

    Attributes:
        name: the model's name.
        height: of the image, pixels.
        width: of the image, pixels.
        parameters: those in use at test time.
        multiply_adds: of convolutions and linear layers.
        operations: of all layers: also pooling, activations and normalisation.
        feature_dim: size of the features (D).
    """

    name: str
    height: int
    width: int
    parameters: int
    multiply_adds: int
    operations: int
    feature_dim: int


def summarize(
    name: str, size: tuple[int, int] | None = None, plugins: Plugins | None = None, **section: Any
) -> ModelSummary:
    """Measure a registered model.

    It is built and run without memory for its weights, which takes no longer than counting; one
    whose layers cannot do that is built for real.

    Args:
        name: its name.
        size: height and width of the image; by default the model's own, or 256x128.
        plugins: where it is looked up; by default the current plugins.
        **section: options, as for ``build_model``.

    Raises:
        UserError: if there is no such model, or it does not take such an image.
    """
    section = {"image_size": size, **section}
    try:
        with torch.device("meta"):
            return summary_of(_built(name, plugins, section), name, size)
    except (NotImplementedError, RuntimeError, TypeError):
        return summary_of(_built(name, plugins, section), name, size)


def summary_of(model: nn.Module, name: str, size: tuple[int, int] | None = None) -> ModelSummary:
    """Measure a model that has been built; the arguments are those of ``summarize``.

    Raises:
        UserError: if it does not take such an image, or gives no features.
    """
    height, width = size or usual_size(model)
    images = (1, 3, height, width)
    parameters, multiply_adds = compute_model_complexity(model, images)
    _, operations = compute_model_complexity(model, images, only_conv_linear=False)
    return ModelSummary(
        name, height, width, parameters, multiply_adds, operations, _feature_dim(model, images)
    )


def _built(name: str, plugins: Plugins | None, section: dict[str, Any]) -> nn.Module:
    return build_model(name, USUAL_CLASSES, pretrained=False, plugins=plugins, **section)


def _feature_dim(model: nn.Module, images: tuple[int, ...]) -> int:
    declared = getattr(unwrap(model), "feature_dim", None)
    if isinstance(declared, int):
        return declared
    parameter = next(model.parameters(), torch.empty(0))
    was_training = model.training
    with torch.inference_mode():
        features = adapted(model.eval())(torch.zeros(*images, device=parameter.device))
    model.train(was_training)
    if not isinstance(features, Tensor) or features.dim() != 2:
        raise UserError(
            f"{type(unwrap(model)).__name__} gives no features (B, D)", "See docs/models.md."
        )
    return features.shape[1]
