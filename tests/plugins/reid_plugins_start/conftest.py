"""Vehicles so small and so few that a whole road takes seconds."""

from __future__ import annotations

import hashlib
import os
from contextlib import redirect_stdout
from pathlib import Path
from typing import NamedTuple

import pytest
from reid_plugins_export.commands.export import export as command
from reid_plugins_start import run_steps
from reid_plugins_start.journal import Journal
from reid_plugins_synthetic.vehicles.make import make_vehicles
from reid_plugins_synthetic.vehicles.settings import VehicleSettings

from reidcore.cli.app import main


@pytest.fixture(scope="session")
def crops(tmp_path_factory):
    """A folder for each of 30 vehicles."""
    folder = tmp_path_factory.mktemp("vehicles") / "crops"
    few = VehicleSettings(ids=30, cameras=2, images_per_camera=2, height=32, width=40)
    make_vehicles(folder, few)
    return folder


@pytest.fixture
def ran(monkeypatch):
    """Have commands write their first word's file, or fail as their second word says."""
    calls = []

    def run(words, stdout=None, stderr=None):
        calls.append(words)
        if "stop" in words:
            raise KeyboardInterrupt
        if "fail" in words:
            if stderr is not None:
                os.write(stderr, b"Usage: x\nError: too few pairs. Give more\n")
            return 2
        if stdout is not None:
            os.write(stdout, b"{}")
        return 0

    monkeypatch.setattr(run_steps, "run_reidcore", run)
    return calls


@pytest.fixture
def journal(tmp_path):
    return Journal.read(tmp_path / "start.json")


class Ended(NamedTuple):
    """How a command ended: its exit code, and what it wrote."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def start(tmp_path, monkeypatch, capfd):
    """Run ``reidcore start`` in this process, in an empty folder; each of its commands has one."""
    monkeypatch.chdir(tmp_path)

    def run(*words):
        capfd.readouterr()
        code = _code_of(["start", *map(str, words)])
        return Ended(code, *capfd.readouterr())

    return run


@pytest.fixture
def here(start, monkeypatch):
    """Run ``reidcore start`` with its commands in this process: each process costs seconds.

    The export is not run, see `_export`.
    """
    monkeypatch.setattr(run_steps, "run_reidcore", _in_this_process)
    return start


def _in_this_process(words, stdout=None, stderr=None):
    if words[0] == "export":
        return _export(words[1:])
    if stdout is None:
        return _code_of(words)
    with os.fdopen(os.dup(stdout), "w") as file, redirect_stdout(file):
        return _code_of(words)


def _export(words):
    """Stand for the export, half of the road's time, which has tests of its own.

    Its options are read by the command itself.
    """
    read = command.make_context("export", list(words)).params
    file = Path(next(value for value in read.values() if str(value).endswith(".onnx")))
    file.write_bytes(b"exported")
    digest = hashlib.sha256(b"exported").hexdigest()
    file.with_name(f"{file.name}.sha256").write_text(f"{digest}  {file.name}\n")
    return 0


def _code_of(words):
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    return ended.value.code
