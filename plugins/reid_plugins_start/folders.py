"""Where everything of one road is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """The folder of a road, and what its steps write there.

    Args:
        folder: given by ``-o``.
    """

    folder: Path

    @property
    def data(self) -> Path:
        """Crops and table that were made of the data."""
        return self.folder / "data"

    @property
    def table(self) -> Path:
        """The table of images, with its splits."""
        return self.data / "labels.csv"

    @property
    def check(self) -> Path:
        """What the check found, as JSON."""
        return self.folder / "check.json"

    @property
    def config(self) -> Path:
        """The configuration of the training."""
        return self.folder / "config.yaml"

    @property
    def run(self) -> Path:
        """The folder of the training."""
        return self.folder / "run"

    @property
    def model(self) -> Path:
        """The trained model, with its calibration."""
        return self.folder / "model.pth.tar"

    @property
    def export(self) -> Path:
        """The exported model."""
        return self.folder / "model.onnx"

    @property
    def report(self) -> Path:
        """The page about the training."""
        return self.folder / "report.html"

    @property
    def journal(self) -> Path:
        """What is done so far."""
        return self.folder / "start.json"

    @property
    def handover(self) -> Path:
        """What is handed over."""
        return self.folder / "handover"
