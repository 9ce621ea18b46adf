"""The bundled datasets keep the contract of datasets, where they have data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest
from reid_plugins_scaffold.conformance.base import checks_of

from reidcore import registry
from reidcore.testing import conformance, fake_dataset, make_plugins

LAYOUTS = sorted(
    path.name.partition(".")[0]
    for path in (Path(__file__).parents[2] / "fixtures/datasets/expected_seed0").iterdir()
)
NAMES = {entry.name for entry in registry.entries("datasets", make_plugins())}


@pytest.mark.parametrize("layout", sorted(NAMES.intersection(LAYOUTS)))
def test_a_benchmark_keeps_the_contract(layout: str, used_root: Callable[[str], Path]) -> None:
    attributes = {"name": layout, "root": used_root(layout)}
    made = type("Made", (conformance.DatasetConformance,), attributes)
    for name in checks_of(made):
        checks = made()
        checks.setup_method()
        getattr(checks, name)()
        checks.teardown_method()


class TestSynthetic(conformance.DatasetConformance):
    """It draws its data itself."""

    name = "synthetic"
    options: ClassVar = {"train_ids": 2, "test_ids": 2}


class TestFolder(conformance.DatasetConformance):
    """Folders of one's own."""

    name = "folder"

    def write(self, root: Path) -> None:
        fake_dataset(root)
