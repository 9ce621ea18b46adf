"""Where the network looks: activation maps of some queries, kept small."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from reid_plugins_inspect.pictures import activation_maps
from torch import Tensor, nn

from reid_plugins_report.evidence.labels import as_texts, shown_path
from reid_plugins_report.evidence.parts import Attention
from reidcore.models import unwrap, wanted_columns

if TYPE_CHECKING:
    from reidcore.engine import Engine

LARGEST = 128  # the longer side of a map, in pixels


def attention_of(engine: Engine, target: str, paths: Sequence[Any]) -> Attention | None:
    """Return activation maps of queries, as the test's own loader reads their images.

    Args:
        engine: has the model, and the loader.
        target: whose queries they are.
        paths: of the images or tracklets.

    Returns:
        None where the loader has no dataset to read single images from.

    Raises:
        UserError: if the model gives no feature maps, or an image cannot be read.
    """
    dataset = getattr(engine.test_loader[target]["query"], "dataset", None)
    table = getattr(dataset, "data", None)
    if dataset is None or table is None or not paths:
        return None
    row_of = {sample[0]: row for row, sample in enumerate(table)}
    items = [dataset[row_of[path]] for path in paths]
    images = torch.stack([_middle(item["img"]) for item in items])
    model = unwrap(engine.model)  # one process alone draws, and others would be waited for
    was_training = model.training
    model.eval()
    try:
        heat = activation_maps(model, images.to(engine.device), _labels(model, items))
    finally:
        model.train(was_training)
    height, width = heat.shape[1:]
    step = max(1, -(-max(height, width) // LARGEST))
    small = (255 * heat[:, ::step, ::step]).round().astype(np.uint8)
    return Attention(as_texts([shown_path(path) for path in paths]), small)


def _labels(model: nn.Module, items: Sequence[Mapping[str, Any]]) -> dict[str, Tensor]:
    """Return the columns (B,) that the model wants, as far as images have them."""
    wanted = wanted_columns(model, items[0])
    return {
        name: torch.tensor([item[name] for item in items])
        for name, value in wanted.items()
        if value is not None
    }


def _middle(image: Tensor) -> Tensor:
    """Return an image (3, h, w) as it is, and of a clip (S, 3, h, w) the middle frame."""
    return image[len(image) // 2] if image.dim() == 4 else image
