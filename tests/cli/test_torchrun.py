"""Runs of two processes, by torchrun: one that fails, and one that is killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reidcore.testing import fake_dataset
from reidcore.utils import load_checkpoint

PLUGIN = """
import os, signal
from reidcore import hookimpl
from reidcore.testing import TinyWorld

reid_register_models = TinyWorld().reid_register_models
reid_register_datasets = TinyWorld().reid_register_datasets

@hookimpl
def reid_step_end(engine):
    end = os.environ.get("END")
    if os.environ["RANK"] == "1" and engine.epoch == 1 and engine.active_run.position.batch == 2:
        if end == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if end == "fail":
            raise ValueError("no second epoch")
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny dataset and a plugin; the second test goes on from the first."""
    made = tmp_path_factory.mktemp("torchrun")
    fake_dataset(made / "tiny")
    (made / "ending.py").write_text(PLUGIN)
    return made


def torchrun(folder: Path, *words: str, end: str = "") -> tuple[int, str]:
    """Return the exit code of a run of two processes, and all that it said."""
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    launch += ["--local-addr", "127.0.0.1", "--nproc-per-node=2", "-m", "reidcore"]
    words = ("run", "-p", "ending.py", *words)
    small = ["-s", "tiny", "-t", "tiny", "--root", ".", "model.name=tinynet", "data.workers=0"]
    small += ["model.pretrained=false", "data.height=32", "data.width=16", "train.batch_size=8"]
    small += ["train.max_epoch=3", "test.eval_freq=1", "test.visrank=false", "train.print_freq=1"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore", "END": end}
    done = subprocess.run(
        [*launch, *words, *small, "use_gpu=false", "data.save_dir=log"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=200,
        check=False,
    )
    return done.returncode, done.stdout


def errors(output: str) -> list[str]:
    return [line for line in output.splitlines() if line.startswith("Error:")]


def test_a_process_that_fails_says_so_alone(folder: Path) -> None:
    code, output = torchrun(folder, end="fail")
    assert code != 0
    (told,) = errors(output)
    assert told.startswith("Error: process 1: a defect in plugin 'ending'")
    assert "no second epoch" in told
    assert output.count("Traceback") == 1, output  # torchrun's own
    assert output.count("epoch 1/3 ") == 1
    assert load_checkpoint(folder / "log" / "model.pth.tar-1")["epoch"] == 1


def test_a_sweep_is_refused_once(folder: Path) -> None:
    code, output = torchrun(folder, "--sweep", "train.seed=1,2")
    assert code != 0
    (told,) = errors(output)
    assert "--sweep starts runs of one process, and this is one of 2" in told
    assert output.count("for value1 in 1 2; do torchrun") == 1


def test_a_process_that_is_killed_ends_all_and_is_named(folder: Path) -> None:
    """And a run that failed goes on: this one is the one above, resumed."""
    started = time.monotonic()
    code, output = torchrun(folder, "--resume", "auto", end="kill")
    assert code != 0
    (told,) = errors(output)
    assert told.startswith("Error: process 1 of 2 (counted from 0) ended without a word")
    assert output.count("Traceback") == 1, output
    assert time.monotonic() - started < 100
    assert "Resuming from log/model.pth.tar-1: 1 epoch done" in output
    assert "epoch: [2/3][1/3]" in output
    assert not json.loads((folder / "log" / "results.json").read_text())["finished"]
