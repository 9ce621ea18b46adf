from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

GOLD = Path(__file__).parents[3] / "fixtures" / "transforms"


@pytest.fixture(scope="session")
def gold() -> Mapping[str, np.ndarray]:
    """Torchreid's transforms on three images; see tests/fixtures/transforms/README.md."""
    with np.load(GOLD / "transforms.npz") as arrays:
        return {name: arrays[name] for name in arrays.files}


@pytest.fixture(scope="session")
def statistics() -> dict[str, Any]:
    """What Torchreid's random transforms do on average."""
    read: dict[str, Any] = json.loads((GOLD / "statistics.json").read_text())
    return read
