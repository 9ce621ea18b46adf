"""Vehicles so small and so few that a whole road takes seconds."""

from __future__ import annotations

import subprocess
import sys

import pytest
from reid_plugins_synthetic.vehicles.make import make_vehicles
from reid_plugins_synthetic.vehicles.settings import VehicleSettings


@pytest.fixture(scope="session")
def crops(tmp_path_factory):
    """A folder for each of 30 vehicles."""
    folder = tmp_path_factory.mktemp("vehicles") / "crops"
    few = VehicleSettings(ids=30, cameras=2, images_per_camera=2, height=32, width=40)
    make_vehicles(folder, few)
    return folder


@pytest.fixture
def start(tmp_path):
    """Run ``reidcore start`` in a process of its own, in an empty folder."""

    def run(*words):
        command = [sys.executable, "-m", "reidcore", "start", *map(str, words)]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    return run
