"""Commands among processes that were started together; what they compute is tested elsewhere."""

from __future__ import annotations

import pytest
import torch

from reidcore.cli import run_config
from reidcore.config import Config
from reidcore.errors import UserError
from reidcore.plugins import current_plugins


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> list[torch.device]:
    """The GPUs that a command chooses, on a machine with two, where nothing is built."""
    chosen: list[torch.device] = []
    monkeypatch.setattr(run_config, "find_device", lambda name: torch.device(name))
    monkeypatch.setattr("torch.cuda.set_device", chosen.append)
    monkeypatch.setattr("reidcore.engine.build.prepare", lambda config, plugins: None)
    return chosen


def test_each_process_keeps_the_gpu_of_its_number(
    chosen: list[torch.device], monkeypatch: pytest.MonkeyPatch
) -> None:
    plugins = current_plugins()
    run_config.prepare(Config(), plugins, "cuda:1")
    assert chosen == [torch.device("cuda:1")]
    monkeypatch.setenv("WORLD_SIZE", "2")
    run_config.prepare(Config(), plugins, "cuda")
    run_config.prepare(Config(), plugins, "cpu")
    assert len(chosen) == 1
    with pytest.raises(UserError, match=r"cuda:1 would put all processes on one GPU"):
        run_config.prepare(Config(), plugins, "cuda:1")


def test_a_number_of_processes_that_is_none_is_told_in_one_line(reidcore) -> None:
    done = reidcore("run", WORLD_SIZE="many")
    assert done.returncode == 2
    assert done.stderr == "Error: the environment says WORLD_SIZE='many'. Give 1 or more.\n"
