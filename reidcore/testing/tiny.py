"""The tiny world: a model and a dataset that make a training run take a second."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from reidcore import data, hookimpl
from reidcore.models import ReidModel

if TYPE_CHECKING:
    from reidcore.registry import Registrar


class TinyNet(ReidModel):
    """One convolution with batch normalisation, dropout, one classifier.

    Args:
        num_classes: the number of identities C.
        loss: what a bare call returns in training, see `ReidModel`.
        pretrained: accepted; there are no weights to load.
    """

    feature_dim = 8

    def __init__(self, num_classes: int, loss: str = "softmax", pretrained: bool = False) -> None:
        super().__init__(loss)
        self.conv = nn.Conv2d(3, 8, 3, stride=2)
        self.norm = nn.BatchNorm2d(8)
        self.drop = nn.Dropout(0.2)
        self.classifier = nn.Linear(8, num_classes)

    def featuremaps(self, images: Tensor) -> Tensor:
        """Return maps ``(B, 8, h, w)``."""
        return torch.relu(self.norm(self.conv(images)))

    def embed(self, maps: Tensor) -> Tensor:
        """Return features ``(B, 8)``."""
        features: Tensor = self.drop(maps.mean(dim=(2, 3)))
        return features


class TinyWorld:
    """A plugin with the model ``tinynet`` and the dataset ``tiny``."""

    @hookimpl
    def reid_register_models(self, registry: Registrar) -> None:
        """Register the model."""
        registry.add("tinynet", TinyNet, summary="one convolution, for tests")

    @hookimpl
    def reid_register_datasets(self, registry: Registrar) -> None:
        """Register the dataset."""
        registry.add("tiny", tiny, summary="a fake dataset, for tests")


def tiny(root: Path) -> data.Splits:
    """Read ``root/tiny``, which ``fake_dataset(root / "tiny")`` writes."""
    return data.from_folders(root / "tiny")
