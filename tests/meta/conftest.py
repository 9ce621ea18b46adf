"""What the tests of the house share."""

from __future__ import annotations

from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def import_graph(load_script) -> ModuleType:
    """What imports what, as the drawing of the house reads it."""
    return load_script("docs/generate/import_graph.py")
