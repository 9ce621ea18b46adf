"""Other people's packages, as far as they are installed: ``make test-peers``."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def torchreid() -> ModuleType:
    """Torchreid 0.2.5; what it imports only to download weights need not be there."""
    with pytest.MonkeyPatch.context() as patch:
        if importlib.util.find_spec("gdown") is None:
            patch.setitem(sys.modules, "gdown", ModuleType("gdown"))
        return pytest.importorskip(
            "torchreid",
            reason="torchreid is not here: pip install --no-deps torchreid==0.2.5",
            exc_type=ImportError,
        )


@pytest.fixture(scope="session")
def metric_learning() -> ModuleType:
    """pytorch-metric-learning."""
    return pytest.importorskip(
        "pytorch_metric_learning",
        reason="pytorch-metric-learning is not here: pip install pytorch-metric-learning",
        exc_type=ImportError,
    )
