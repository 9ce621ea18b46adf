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
        extractor: the model on the CPU, with what its images go through; it gives features as they
            are compared.
        name: the model's name.
        metadata: what the checkpoint says beside the weights.
    """

    path: Path
    extractor: FeatureExtractor
    name: str
    metadata: CheckpointMetadata

    @property
    def model(self) -> nn.Module:
        """The network, in evaluation mode."""
        return self.extractor.model

    @property
    def preprocessing(self) -> Mapping[str, Any]:
        """What its images go through, as a checkpoint records it."""
        return self.extractor.preprocessing.record

    @property
    def metric(self) -> str:
        """By which its features are compared."""
        return str(self.metadata.test.get("dist_metric", "euclidean"))

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the images, in pixels."""
        return self.preprocessing["height"], self.preprocessing["width"]


def load_source(
    path: PathLike,
    model_name: str = "",
    image_size: tuple[int, int] | None = None,
    normalise: bool = False,
    plugins: Plugins | None = None,
) -> Source:
    """Load a checkpoint for exporting, as an extractor loads it.

    Args:
        path: the checkpoint.
        model_name: where the checkpoint does not tell it.
        image_size: height and width; by default the checkpoint's.
        normalise: whether features are compared at unit length though the checkpoint's are not.
        plugins: where the model is looked up; the current ones by default.

    Raises:
        CheckpointError: if it cannot be read, or belongs to another model.
        UserError: if the model is unknown, or cannot take that size.
    """
    metadata = read_metadata(path)
    extractor = FeatureExtractor(
        model_name,
        path,
        image_size,
        device="cpu",
        verbose=False,
        plugins=plugins,
        normalize=normalise or bool(metadata.test.get("normalize_feature")),
    )
    name = model_name or metadata.model_name
    return Source(Path(path), extractor, name, metadata)
