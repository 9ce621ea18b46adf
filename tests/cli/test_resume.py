"""A resumed run does what its user wrote, and what nobody wrote comes from the checkpoint."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reidcore.utils import load_checkpoint

PLUGIN = """
import json
import os

from reidcore import hookimpl
from reidcore.testing import TinyWorld

world = TinyWorld()
reid_register_models, reid_register_datasets = (
    world.reid_register_models,
    world.reid_register_datasets,
)


@hookimpl
def reid_epoch_start(engine):
    with open(os.environ["RATES"], "a") as file:
        file.write(json.dumps(engine.get_current_lr()) + "\\n")
"""

CONFIG = """
use_gpu: false
model: {name: tinynet, pretrained: false}
data: {sources: tiny, targets: tiny, height: 32, width: 16, workers: 0}
train: {batch_size: 8, max_epoch: 2, lr_scheduler: cosine}
"""

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(
    in_tiny_world: Callable[[str, str], Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Run:
    """Run ``reidcore run`` in the tiny world; return the exit code and what was told."""
    reidcore = in_tiny_world(PLUGIN, CONFIG)
    monkeypatch.setenv("RATES", str(tmp_path / "rates"))

    def run(*words: str) -> tuple[int, str]:
        Path("rates").unlink(missing_ok=True)
        return reidcore("run", *words)

    return run


def rates() -> list[float]:
    """Return the rate that each epoch of the last run began with."""
    return [json.loads(line) for line in Path("rates").read_text().splitlines()]


def config_of(record: str) -> dict[str, Any]:
    held: dict[str, Any] = json.loads(Path(record).read_text())["config"]
    return held


def test_the_rate_and_the_length_that_were_written_act_and_are_told(run: Run) -> None:
    assert run("small.yaml", "train.max_epoch=6", "train.lr=0.01", "data.save_dir=whole")[0] == 0
    curve = rates()
    assert run("small.yaml", "data.save_dir=first")[0] == 0
    written = ("train.max_epoch=6", "train.lr=0.01", "data.save_dir=rest")
    code, told = run("small.yaml", *written, "--resume", "first/model.pth.tar-2")
    assert code == 0, told
    assert rates() == curve[2:]
    assert config_of("rest/results.json")["train"]["lr"] == 0.01
    assert "train.lr is 0.01 (override 'train.lr=0.01'), in the checkpoint 0.0003" in told
    assert "train.max_epoch is 6 (override 'train.max_epoch=6'), in the checkpoint 2" in told
    assert told.count("0.0003") == 1


def test_what_nobody_wrote_comes_from_the_checkpoint_and_is_told(run: Run) -> None:
    lively = ("train.lr=0.02", "train.optim=sgd", "data.transforms=random_erase", "train.seed=7")
    assert run("small.yaml", *lively, "random_erase.p=0.2", "train.max_epoch=1")[0] == 0
    code, told = run("--resume", "log/model.pth.tar-1", "train.max_epoch=2")
    assert code == 0, told
    config = config_of("log/results.json")
    assert (config["train"]["lr"], config["train"]["optim"]) == (0.02, "sgd")
    assert config["data"]["transforms"] == ["random_erase"]
    assert config["random_erase"]["p"] == 0.2
    assert config["model"]["name"] == "tinynet"
    for line in ("train.lr is 0.02, as", "train.optim is 'sgd', as", "train.seed is 7, as"):
        assert f"{line} in the checkpoint" in told
    assert "adam" not in told


def test_a_loss_that_was_written_replaces_the_terms_of_the_checkpoint(run: Run) -> None:
    terms = ("loss.terms.softmax=1", "loss.terms.triplet=0.1")
    assert run("small.yaml", *terms, "train.max_epoch=1")[0] == 0
    resume = ("--resume", "auto", "train.max_epoch=2")
    assert run("small.yaml", *resume, "loss.terms.triplet=0.5", "data.save_dir=log")[0] == 0
    assert config_of("log/results.json")["loss"]["terms"] == {"softmax": 1, "triplet": 0.5}


def test_another_schedule_starts_none_of_the_first_ones_state(run: Run) -> None:
    assert run("small.yaml")[0] == 0
    step = ("train.lr_scheduler=single_step", "train.stepsize=3", "train.max_epoch=5")
    code, told = run("small.yaml", *step, "--resume", "log")
    assert code == 0, told
    assert rates() == pytest.approx([3e-4, 3e-5, 3e-5])
    assert "train.lr_scheduler is 'single_step'" in told
    assert "milestones" not in told


@pytest.mark.parametrize(
    "written", ["model.name=osnet_x0_25", "model.head.neck=bnneck", "data.sources=[tiny, tiny2]"]
)
def test_what_gives_the_state_no_meaning_is_refused_with_the_way_out(
    run: Run, written: str
) -> None:
    assert run("small.yaml", "train.max_epoch=1")[0] == 0
    Path("more.py").write_text(
        "from reidcore import hookimpl\nfrom reidcore.testing.tiny import tiny\n\n\n"
        "@hookimpl\ndef reid_register_datasets(registry):\n    registry.add('tiny2', tiny)\n"
    )
    code, told = run("small.yaml", "-p", "more.py", "--resume", "log/model.pth.tar-1", written)
    assert code == 2
    key = written.split("=")[0]
    assert f"cannot be resumed: {key} is" in told
    assert "model.load_weights=log/model.pth.tar-1" in told


def test_auto_goes_on_from_the_newest_and_starts_anew_where_there_is_none(run: Run) -> None:
    command = ("small.yaml", "--resume", "auto")
    code, told = run(*command)
    assert code == 0, told
    assert "No complete checkpoint in log: the run starts anew" in told
    assert len(rates()) == 2
    Path("log/model-interrupted.pth.tar-9").write_bytes(b"PK\3\4 half")
    Path("log/.model.pth.tar-10").write_bytes(b"")
    code, told = run(*command, "train.max_epoch=3")
    assert code == 0, told
    assert len(rates()) == 1
    assert "Not resumed from log/model-interrupted.pth.tar-9" in told
    assert "Resuming from log/model.pth.tar-2" in told
    assert config_of("log/results.json")["model"]["resume"] == "log/model.pth.tar-2"


def test_a_folder_stands_for_its_newest_checkpoint(run: Run) -> None:
    assert run("small.yaml", "test.eval_freq=1")[0] == 0
    shutil.copy("log/model.pth.tar-1", "log/model.pth.tar-3")
    os.utime("log/model.pth.tar-3", (1, 1))
    code, told = run("small.yaml", "model.resume=log", "train.max_epoch=3")
    assert code == 0, told
    assert "Resuming from log/model.pth.tar-2: 2 epochs done" in told
    Path("empty").mkdir()
    code, told = run("small.yaml", "--resume", "empty")
    assert code == 2
    assert "no complete checkpoint in 'empty'" in told


def test_a_checkpoint_knows_the_models_that_were_written_with_it(run: Run) -> None:
    assert run("small.yaml", "train.max_epoch=1")[0] == 0
    assert load_checkpoint("log/model.pth.tar-1")["reidcore"]["models"] == ["model"]


def test_the_whole_command_again_with_resume_is_told_nothing(run: Run) -> None:
    assert run("small.yaml", "train.lr=0.01", "train.max_epoch=1")[0] == 0
    code, told = run("small.yaml", "train.lr=0.01", "train.max_epoch=1", "--resume", "auto")
    assert code == 0, told
    assert "in the checkpoint" not in told
