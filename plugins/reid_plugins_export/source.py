"""The checkpoint that is exported: its model, and what it says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from reidcore.inference import CheckpointMetadata, FeatureExtractor, read_metadata
from reidcore.plugins import Plugins
from reidcore.utils import PathLike


@dataclass(frozen=True)
class Source:
    """A trained model, ready to be exported.

    Attributes:
        path: the checkpoint.
        model: the network on the CPU, in evaluation mode.
        name: the model's name.
        preprocessing: what its images go through, as a checkpoint records it.
        metadata: what the checkpoint says beside the weights.
    """

    path: Path
    model: nn.Module
    name: str
    preprocessing: Mapping[str, Any]
    metadata: CheckpointMetadata

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the images, in pixels."""
        return self.preprocessing["height"], self.preprocessing["width"]


def load_source(
    path: PathLike,
    model_name: str = "",
    image_size: tuple[int, int] | None = None,
    plugins: Plugins | None = None,
) -> Source:
    """Load a checkpoint for exporting, as an extractor loads it.

    Args:
        path: the checkpoint.
        model_name: where the checkpoint does not tell it.
        image_size: height and width; by default the checkpoint's.
        plugins: where the model is looked up; the current ones by default.

    Raises:
        CheckpointError: if it cannot be read, or belongs to another model.
        UserError: if the model is unknown, or cannot take that size.
    """
    metadata = read_metadata(path)
    extractor = FeatureExtractor(
        model_name, path, image_size, device="cpu", verbose=False, workers=0, plugins=plugins
    )
    name = model_name or metadata.model_name
    return Source(Path(path), extractor.model, name, extractor.preprocessing.record, metadata)
