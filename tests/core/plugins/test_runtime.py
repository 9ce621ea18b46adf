from __future__ import annotations

from collections.abc import Iterator

import pytest

from reidcore import data, registry
from reidcore.errors import UserError
from reidcore.plugins import make_plugins
from reidcore.plugins.runtime import PLUGIN


@pytest.fixture
def name() -> Iterator[str]:
    yield "registered_in_a_test"
    PLUGIN.remove_dataset("registered_in_a_test")


def test_a_registered_dataset_is_found_even_in_sets_of_plugins_made_before(name: str) -> None:
    before = make_plugins()
    assert name not in {entry.name for entry in registry.entries("datasets", before)}
    data.register_image_dataset(name, lambda root: data.Splits([], [], []))
    for plugins in (before, None):
        assert registry.find("datasets", name, plugins).plugin == "this process"
    with pytest.raises(UserError, match="registered before"):
        data.register_image_dataset(name, lambda root: data.Splits([], [], []))
