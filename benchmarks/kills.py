"""A run that is killed at any moment and resumed, against the run that was not.

    python benchmarks/kills.py
    python benchmarks/kills.py --epochs 4 --eval-freq 2 --every 3

A tiny run is killed (SIGKILL) before its k-th change to a file in its folder, for each k: before a
checkpoint is opened, before it takes its place, before the one before it is removed, in a test,
before ``results.json``. It is then resumed from the newest checkpoint that is there, or begun anew
where there is none. The table has a line for each moment: what was about to happen, what was
resumed from, and what differs from the unbroken run in ``results.json``, ``metrics.jsonl``, the
best and the last checkpoint (clocks and paths aside), or which temporary files were left.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import re
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch

from reidcore.testing import fake_dataset, tiny_run
from reidcore.utils import load_checkpoint

CLOCKS = {"seconds", "data_seconds", "time", "data", "timings", "config", "pictures"}
CHANGES = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir"}


class Outcome(NamedTuple):
    """What became of a run that was killed."""

    moment: str
    resumed_from: str
    differences: list[str]


class Killer:
    """An audit hook that counts changes to files below a folder, and kills before one of them.

    Args:
        folder: the folder.
        at: the number of the change, from 0; None to count alone.
        told: gets what was about to happen.
    """

    def __init__(self, folder: Path, at: int | None, told: Path) -> None:
        self.folder, self.at, self.told = str(folder), at, told
        self.count = 0

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        """Take in an event."""
        if event not in CHANGES or not self._is_change(event, args):
            return
        if self.count == self.at:
            self.at = None
            name = re.sub(r"\.[a-z0-9_]{8}(?=$|\.reidcore-partial)", "", Path(args[0]).name)
            self.told.write_text(f"{event.removeprefix('os.')} {name}")
            os.kill(os.getpid(), signal.SIGKILL)
        self.count += 1

    def _is_change(self, event: str, args: tuple[Any, ...]) -> bool:
        if not isinstance(args[0], str | os.PathLike):
            return False
        path = os.fspath(args[0])
        if not path.startswith(self.folder) or path.startswith(f"{self.folder}/events."):
            return False
        writes = os.O_WRONLY | os.O_RDWR | os.O_CREAT
        return event != "open" or bool(args[2] & writes)


def run_once(folder: Path, root: Path, settings: list[str], resume: str = "") -> None:
    overrides = [*settings, *([f"model.resume={resume}"] if resume else [])]
    tiny_run(save_dir=folder, root=root, overrides=overrides)


def in_a_fork(work: Callable[[], object]) -> int:
    """Do work in another process; return the signal that ended it, or 0.

    Raises:
        RuntimeError: if the work failed by itself.
    """
    pid = os.fork()
    if pid == 0:
        torch.set_num_threads(1)
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    if os.WIFEXITED(status) and status:
        raise RuntimeError("the run under test failed by itself")
    return os.WTERMSIG(status)


def run_killed(folder: Path, root: Path, settings: list[str], at: int | None) -> tuple[str, int]:
    """Run in a fork that is killed before a change; return what was next and how many came."""
    told = folder.with_suffix(".moment")

    def run() -> None:
        killer = Killer(folder, at, told)
        sys.addaudithook(killer)
        run_once(folder, root, settings)
        told.write_text(str(killer.count))

    return (told.read_text(), 0) if in_a_fork(run) else ("", int(told.read_text()))


def newest(folder: Path) -> str:
    """Return the checkpoint of the most epochs, or nothing."""
    found = {int(path.name.rpartition("-")[2]): path for path in folder.glob("model.pth.tar-*")}
    return str(found[max(found)]) if found else ""


def facts_of(folder: Path) -> dict[str, Any]:
    """Return what two runs must have in common, by the file's name."""
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    last = Path(newest(folder))
    return {
        "results.json": without_clocks(json.loads((folder / "results.json").read_text())),
        "metrics.jsonl": [without_clocks(json.loads(line)) for line in lines],
        **{
            path.name: {
                key: without_clocks(value)
                for key, value in load_checkpoint(path).items()
                if key in ("state_dict", "optimizer", "scheduler", "epoch", "rank1")
            }
            for path in (folder / "model-best.pth.tar", last)
        },
    }


def without_clocks(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_clocks(part) for key, part in value.items() if key not in CLOCKS}
    if isinstance(value, list):
        return [without_clocks(part) for part in value]
    return value.tolist() if isinstance(value, torch.Tensor) else value


def sweep(work: Path, settings: list[str], every: int) -> Iterator[Outcome]:
    root = work / "data"
    fake_dataset(root / "tiny")
    _, changes = run_killed(work / "whole", root, settings, None)
    whole = facts_of(work / "whole")
    for at in range(0, changes, every):
        folder = work / f"killed-{at}"
        moment, _ = run_killed(folder, root, settings, at)
        resume = newest(folder)
        run_once(folder, root, settings, resume)
        found = facts_of(folder)
        differences = [name for name in whole if whole[name] != found.get(name)]
        differences += sorted(path.name for path in folder.glob(".*"))
        yield Outcome(moment, Path(resume).name or "nothing", differences)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--eval-freq", type=int, default=1)
    parser.add_argument("--every", type=int, default=1, help="take each n-th moment")
    asked = parser.parse_args()
    settings = [f"train.max_epoch={asked.epochs}", f"test.eval_freq={asked.eval_freq}"]
    settings += ["train.print_freq=1", "test.visrank=false"]
    logging.getLogger("reidcore").addHandler(logging.NullHandler())  # its table is enough
    torch.set_num_threads(1)
    bad = total = 0
    with tempfile.TemporaryDirectory() as work:
        print(f"{'killed before':44}{'resumed from':20}what differs")
        for outcome in sweep(Path(work), settings, asked.every):
            shown = ", ".join(outcome.differences) or "nothing"
            print(f"{outcome.moment:44}{outcome.resumed_from:20}{shown}", flush=True)
            total, bad = total + 1, bad + bool(outcome.differences)
    print(f"{total} moments, {bad} with a difference")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
