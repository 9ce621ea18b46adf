"""Features of a few people, and the setting that steps see them in."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from reid_plugins_standard.test_time import Setting
from torch import Tensor

from reidcore.evaluation import Labels


def labels_for(queries: int, gallery: int) -> Labels:
    """Return labels of four people; queries by camera 0, the gallery by 1 and 2."""
    q_places, g_places = np.arange(queries), np.arange(gallery)
    return Labels(q_places % 4, g_places % 4, np.zeros_like(q_places), 1 + g_places % 2)


@pytest.fixture
def sides() -> tuple[Tensor, Tensor]:
    """Features (6, 5) and (20, 5)."""
    draw = torch.Generator().manual_seed(0)
    return torch.randn(6, 5, generator=draw), torch.randn(20, 5, generator=draw)


@pytest.fixture
def labels() -> Labels:
    """Those of ``sides``."""
    return labels_for(6, 20)


@pytest.fixture
def setting(labels: Labels) -> Setting:
    """That of ``sides``, without training images."""
    return Setting(labels)
