from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

GOLD = Path(__file__).parents[3] / "fixtures" / "transforms"


@pytest.fixture(scope="session")
def statistics() -> dict[str, Any]:
    """What Torchreid's random transforms do on average."""
    read: dict[str, Any] = json.loads((GOLD / "statistics.json").read_text())
    return read
