"""The configuration in a run's folder repeats the run."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from reidcore.config import load_config, resolved
from reidcore.testing import TinyRun, TinyWorld, make_plugins, tiny_run


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[TinyRun, Path]:
    folder = tmp_path_factory.mktemp("run")
    ran = tiny_run(save_dir=folder, overrides=["train.lr=0.002"])
    tiny_run(save_dir=folder, overrides=["test.evaluate=true"])
    return ran, folder


def test_it_is_the_runs_configuration(ran: tuple[TinyRun, Path]) -> None:
    run, folder = ran
    with make_plugins(TinyWorld()) as plugins:
        assert (
            resolved(load_config(folder / "resolved_config.yaml"), plugins) == run.result["config"]
        )


def test_it_says_how_to_run_it_and_where_values_came_from(ran: tuple[TinyRun, Path]) -> None:
    _, folder = ran
    lines = (folder / "resolved_config.yaml").read_text().splitlines()
    assert lines[0] == f"# reidcore run {folder / 'resolved_config.yaml'}"
    assert "  lr: 0.002  # override 'train.lr=0.002'" in lines


def test_a_test_leaves_the_trainings_alone(ran: tuple[TinyRun, Path]) -> None:
    _, folder = ran
    read = {
        name: yaml.safe_load((folder / name).read_text())
        for name in ("resolved_config.yaml", "resolved_test_config.yaml")
    }
    assert not read["resolved_config.yaml"]["test"]["evaluate"]
    assert read["resolved_test_config.yaml"]["test"]["evaluate"]
