"""Reference figures, and networks built without drawing starting weights that nobody reads."""

from __future__ import annotations

import json
import lzma
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from reidcore.registry import find

DATA = Path(__file__).parents[2] / "fixtures" / "models"
CLASSES = 751


@pytest.fixture(scope="session")
def reference() -> dict[str, Any]:
    """Name -> what Torchreid 1.4.0 was measured to have."""
    return json.loads(lzma.decompress((DATA / "models.json.xz").read_bytes()))


@pytest.fixture(scope="session")
def build() -> Iterator[Callable[..., nn.Module]]:
    """Build a network by its registered name, its weights as memory happens to have them."""

    def undrawn(tensor: torch.Tensor, *args: object, **kwargs: object) -> torch.Tensor:
        return tensor

    def build(name: str, loss: str = "softmax", device: str = "cpu") -> nn.Module:
        factory = find("models", name).load()
        with pytest.MonkeyPatch.context() as patch, torch.device(device):
            patch.setattr(torch.Tensor, "normal_", undrawn)
            patch.setattr(torch.Tensor, "uniform_", undrawn)
            return factory(num_classes=CLASSES, loss=loss, pretrained=False)

    return build
