"""A cache of one's own, and weights that a plugin publishes."""

from __future__ import annotations

import pytest

from reidcore import hookimpl
from reidcore.plugins import make_plugins


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Caches of one's own."""
    monkeypatch.setenv("REIDCORE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    for variable in ("REIDCORE_OFFLINE", "REIDCORE_WEIGHTS_MIRROR"):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path


@pytest.fixture
def publishing():
    """Return plugins that publish the given rows, beside all that is installed."""

    def make(**rows):
        class Publisher:
            @hookimpl
            def reid_register_weights(self, registry):
                for name, row in rows.items():
                    registry.add(name, lambda row=row: row)

        return make_plugins(extra=[Publisher()])

    return make
