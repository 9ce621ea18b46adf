"""The contracts of datasets and losses."""

from __future__ import annotations

from pathlib import Path

import pytest

from reidcore.testing import conformance


class TestWarehouse(conformance.DatasetConformance):
    """The dataset."""

    plugins = ("reid-acme",)
    name = "acme"

    @pytest.fixture(autouse=True)
    def data(self, warehouse: Path) -> None:
        """Read the warehouse that the other tests read."""
        type(self).root = warehouse


class TestCrossCamera(conformance.LossConformance):
    """The loss."""

    plugins = ("reid-acme",)
    name = "cross_camera"
