"""``reidcore run --sweep``: what is checked first, what is run, and what is told at the end."""

from __future__ import annotations

import json
import shutil
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

SMALL = (
    *("datasets.synthetic.train_ids=4", "datasets.synthetic.test_ids=3"),
    *("datasets.synthetic.cameras=2", "datasets.synthetic.images_per_camera=2"),
    *("data.height=32", "data.width=16", "data.workers=0", "train.batch_size=8"),
    *("train.max_epoch=1", "use_gpu=false", "test.visrank=false", "data.save_dir=log"),
)


class Children:
    """Takes the place of the processes of a sweep.

    Attributes:
        words: those of each.
        codes: by the name of the folder, the exit codes that are not 0.
        config: what the runs record.
    """

    def __init__(self) -> None:
        self.words: list[list[str]] = []
        self.codes: dict[str, int] = {}
        self.config: dict[str, Any] = {}

    def __call__(self, words: list[str], stdout: int | None = None) -> int:
        self.words.append(words)
        folder = Path(words[-1].removeprefix("data.save_dir="))
        code = self.codes.get(folder.name, 0)
        if not code:
            self.write(folder, int(folder.name.removeprefix("train.seed=")))
        return code

    def write(self, folder: Path, seed: int) -> None:
        config = json.loads(json.dumps(self.config))
        config["train"]["seed"] = seed
        record = {
            "format": 1,
            "finished": True,
            "targets": {"synthetic": {"mAP": seed / 10, "rank1": 0.5}},
            "training": [],
            "timings": {"total_seconds": 1.0},
            "config": config,
        }
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "results.json").write_text(json.dumps(record))


@pytest.fixture
def children(here, monkeypatch: pytest.MonkeyPatch) -> Children:
    made = Children()
    printed = here("run", "quickstart", *SMALL, "--print-config", "--json")
    made.config = json.loads(printed.out)
    monkeypatch.setattr("reid_plugins_runs.sweep.run_reidcore", made)
    return made


SWEEP = ("run", "quickstart", *SMALL, "--sweep", "train.seed=1,3")


def test_each_value_is_a_run_and_the_table_has_their_mean(here, children) -> None:
    void = "sgd.momentum=0.5"  # of no optimizer in use, which each run tells itself
    done = here("-q", *SWEEP, void)
    assert done.code == 0, done.err
    assert void not in done.out + done.err
    assert children.words == [
        [
            "-q",
            "run",
            "quickstart",
            *SMALL,
            void,
            f"train.seed={seed}",
            f"data.save_dir=log/train.seed={seed}",
        ]
        for seed in (1, 3)
    ]
    row = done.out.splitlines()[-1].split()
    assert row[:5] == ["log/train.seed=*", "2", "20.0", "±", "14.1"]


def test_a_run_that_fails_costs_no_other_and_is_told(here, children) -> None:
    children.codes = {"train.seed=1": 2}
    done = here(*SWEEP, "--json")
    assert done.code == 2
    assert "1 of 2 runs failed: train.seed=1 (exit code 2)" in done.err
    record = json.loads(done.out)
    assert [run["exit_code"] for run in record["sweep"]] == [2, 0]
    assert record["groups"][0]["targets"]["synthetic"]["mAP"]["mean"] == 0.3
    assert all("--json" not in words for words in children.words)


def test_all_of_them_may_fail(here, children) -> None:
    children.codes = {"train.seed=1": 1, "train.seed=3": -9}
    done = here(*SWEEP)
    assert (done.code, "2 of 2 runs failed" in done.err) == (2, True)


def test_resuming_skips_what_is_finished_by_the_same_configuration(
    here, children, tmp_path
) -> None:
    children.write(tmp_path / "log" / "train.seed=1", 1)
    held = here(*SWEEP)
    assert (held.code, "hold runs" in held.err, children.words) == (2, True, [])
    assert here(*SWEEP, "--resume", "auto").code == 0
    assert [words[-1] for words in children.words] == ["data.save_dir=log/train.seed=3"]
    assert "--resume" in children.words[0]
    # Another configuration is not finished, and goes on.
    more = ("run", "quickstart", *SMALL, "train.lr=0.5", "--sweep", "train.seed=1,3")
    assert here(*more, "--resume", "auto").code == 0
    assert len(children.words) == 3
    shutil.rmtree(tmp_path / "log")
    children.write(tmp_path / "log" / "train.seed=1", 1)
    assert here(*SWEEP, "--overwrite").code == 0
    assert len(children.words) == 5


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--sweep", "train.sede=1,2"], "train.sede"),
        (["--sweep", "train.lr=0.1,fast"], "train.lr"),
        (["--sweep", "train.lr=0.1,1e-1"], "would be the same run"),
        (["--sweep", "train.print_freq=5,6"], "would be the same run"),
        (["--sweep", "train.seed=1,2", "--print-config"], "--print-config"),
        (["--sweep", "train.seed=1,2", "--resume", "log/x"], "cannot all go on from"),
        (["--sweep", "train.seed=1,2", "test.evaluate=true"], "a sweep trains"),
        (["--sweep"], "--sweep"),
    ],
)
def test_bad_input_is_refused_before_the_first_run(here, children, words, told) -> None:
    done = here("run", "quickstart", *SMALL, *words)
    assert done.code == 2
    assert told in done.err
    assert children.words == []


def test_under_torchrun_the_loop_to_write_is_shown(here, children, monkeypatch) -> None:
    """It trains what the sweep would have: with its overrides, below its folder."""
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr("reidcore.cli.run_config.processes_joined", nullcontext)  # not there
    done = here(*SWEEP, "--sweep=train.stepsize=[1,2],5", "data.save_dir=my runs")
    assert done.code == 2
    assert (
        "for value1 in 1 3; do for value2 in '[1,2]' 5; do torchrun --nproc-per-node=2 -m reidcore "
        "run" in done.err
    )
    assert f" {SMALL[0]} " in done.err
    assert (
        '"train.seed=$value1" "train.stepsize=$value2" '
        """data.save_dir='my runs'/"train.seed=$value1,train.stepsize=$value2"; done; done; """
        "reidcore runs compare 'my runs'" in done.err
    )
    assert done.err.count("--sweep") == 1  # the sentence
    assert "data.save_dir=log" not in done.err
    assert children.words == []


def test_a_sweep_of_real_runs(reidcore, tmp_path) -> None:
    """The second fails, since the dataset has one split alone."""
    done = reidcore("run", "quickstart", *SMALL, "--sweep=data.split_id=0,5", "--json")
    assert done.returncode == 2, done.stderr
    assert "1 of 2 runs failed: data.split_id=5 (exit code 2)" in done.stderr
    record = json.loads(done.stdout)
    assert [run["exit_code"] for run in record["sweep"]] == [0, 2]
    results = tmp_path / "here" / "log" / "data.split_id=0" / "results.json"
    assert json.loads(results.read_text())["finished"] is True
    figures = record["groups"][0]["targets"]["synthetic"]
    assert figures["mAP"]["n"] == 1
