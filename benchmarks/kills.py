"""A run that is killed at any moment and resumed, against the run that was not.

    python benchmarks/kills.py
    python benchmarks/kills.py --epochs 4 --eval-freq 2 --every 3
    python benchmarks/kills.py --keep 1 --within-epochs --validation
    python benchmarks/kills.py --full-disk --within-epochs
    python benchmarks/kills.py --ranks 2 --every 4

A tiny run is killed (SIGKILL) before its k-th change to a file in its folder, for each k: before a
checkpoint is opened, before it takes its place, before the one before it is removed, in a test,
before ``results.json``. With ``--full-disk`` nothing is written from that moment on, and the run
fails by itself. It is then resumed as ``--resume auto`` does, from the newest checkpoint that is
whole, or begun anew where there is none. The table has a line for each moment: what was about to
happen, what was resumed from, and what differs from the unbroken run in ``results.json``,
``metrics.jsonl``, TensorBoard's scalars, the names of the checkpoints, the best and the last of
them (clocks and paths aside), or which temporary files were left.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import re
import resource
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch

from reidcore.engine import join_processes
from reidcore.engine.latest import newest_checkpoint
from reidcore.testing import fake_dataset, tiny_run
from reidcore.utils import load_checkpoint

CLOCKS = {
    "seconds",
    "data_seconds",
    "time",
    "data",
    "timings",
    "config",
    "pictures",
    "peak_memory",
}
CHANGES = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir"}


class Outcome(NamedTuple):
    """What became of a run that was killed."""

    moment: str
    resumed_from: str
    differences: list[str]


class Killer:
    """An audit hook that counts changes to files below a folder, and strikes before one of them.

    Args:
        folder: the folder.
        at: the number of the change, from 0; None to count alone.
        told: gets what was about to happen.
        fills_disk: let no file grow from then on, instead of killing the process.
    """

    def __init__(self, folder: Path, at: int | None, told: Path, fills_disk: bool) -> None:
        self.folder, self.at, self.told = str(folder), at, told
        self.fills_disk = fills_disk
        self.count = 0

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        """Take in an event."""
        if event not in CHANGES or not self._is_change(event, args):
            return
        if self.count == self.at:
            self.at = None
            name = re.sub(r"\.[a-z0-9_]{8}(?=$|\.reidcore-partial)", "", Path(args[0]).name)
            self.told.write_text(f"{event.removeprefix('os.')} {name}")
            if self.fills_disk:
                resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
            else:
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
    return ended_by(started(work))


def started(work: Callable[[], object]) -> int:
    """Begin work in another process, and return that."""
    pid = os.fork()
    if pid == 0:
        torch.set_num_threads(1)
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return pid


def ended_by(pid: int) -> int:
    """Wait for a process; return the signal that ended it, or 0.

    Raises:
        RuntimeError: if it failed by itself.
    """
    _, status = os.waitpid(pid, 0)
    if os.WIFEXITED(status) and status:
        raise RuntimeError("the run under test failed by itself")
    return os.WTERMSIG(status)


def in_ranks(world: int, work: Callable[[], object]) -> None:
    """Do work in several processes that form a group; the first one may end them all."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    place = {"WORLD_SIZE": str(world), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}

    def joined(rank: int) -> None:
        os.environ.update(place, RANK=str(rank), LOCAL_RANK=str(rank))
        with join_processes(timedelta(seconds=60)):
            work()

    ranks = [started(partial(joined, rank)) for rank in range(world)]
    for pid in ranks:
        with suppress(RuntimeError):  # it was the disk, or the first one is gone
            ended_by(pid)


class Sweep(NamedTuple):
    """What is swept over.

    Attributes:
        work: gets a folder for each run.
        settings: of the run.
        ranks: how many processes it is.
        fills_disk: whether the disk is full from the moment on, instead of the process killed.
    """

    work: Path
    settings: list[str]
    ranks: int
    fills_disk: bool

    @property
    def root(self) -> Path:
        """The datasets."""
        return self.work / "data"

    def broken(self, folder: Path, at: int | None) -> tuple[str, int]:
        """Run until a change; return what was next, or how many changes came."""
        told = folder.with_suffix(".moment")

        def run() -> None:
            killer = Killer(folder, at, told, self.fills_disk)
            sys.addaudithook(killer)
            try:
                run_once(folder, self.root, self.settings)
            finally:
                if at is None and killer.count:  # of several processes one writes
                    told.write_text(str(killer.count))

        in_ranks(self.ranks, run)
        text = told.read_text()
        return ("", int(text)) if at is None else (text, 0)

    def resumed(self, folder: Path) -> str:
        """Go on from the newest checkpoint; return its name."""
        newest = newest_checkpoint(folder)
        in_ranks(self.ranks, lambda: run_once(folder, self.root, self.settings, str(newest or "")))
        return newest.name if newest else "nothing"

    def outcomes(self, every: int) -> Iterator[Outcome]:
        """Yield what became of the run, broken at each n-th change."""
        fake_dataset(self.root / "tiny")
        _, changes = self.broken(self.work / "whole", None)
        whole = facts_of(self.work / "whole")
        for at in range(0, changes, every):
            folder = self.work / f"broken-{at}"
            moment, _ = self.broken(folder, at)
            name = self.resumed(folder)
            found = facts_of(folder)
            differences = [name for name in whole if whole[name] != found.get(name)]
            differences += sorted(path.name for path in folder.glob(".*"))
            yield Outcome(moment, name, differences)


def facts_of(folder: Path) -> dict[str, Any]:
    """Return what two runs must have in common, by the file's name."""
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    checkpoints = sorted(folder.glob("*.pth.tar*"))
    return {
        "results.json": without_clocks(json.loads((folder / "results.json").read_text())),
        "metrics.jsonl": [without_clocks(json.loads(line)) for line in lines],
        "TensorBoard": scalars_of(folder),
        "checkpoints": [path.name for path in checkpoints],
        **{
            path.name: {
                key: without_clocks(value)
                for key, value in load_checkpoint(path).items()
                if key in ("state_dict", "optimizer", "scheduler", "epoch", "rank1")
            }
            for path in checkpoints
        },
    }


def scalars_of(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Return each scalar's steps and values, as TensorBoard shows them, clocks aside."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder))
    events.Reload()
    tags = [tag for tag in events.Tags()["scalars"] if tag not in ("Train/time", "Train/data")]
    return {tag: [(each.step, each.value) for each in events.Scalars(tag)] for tag in sorted(tags)}


def without_clocks(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_clocks(part) for key, part in value.items() if key not in CLOCKS}
    if isinstance(value, list):
        return [without_clocks(part) for part in value]
    return value.tolist() if isinstance(value, torch.Tensor) else value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--eval-freq", type=int, default=1)
    parser.add_argument("--every", type=int, default=1, help="take each n-th moment")
    parser.add_argument("--keep", type=int, help="train.keep_checkpoints")
    parser.add_argument("--within-epochs", action="store_true", help="a checkpoint after each step")
    parser.add_argument("--validation", action="store_true", help="test.select_on=validation")
    parser.add_argument("--full-disk", action="store_true", help="fill the disk, and kill nobody")
    parser.add_argument("--ranks", type=int, default=1)
    asked = parser.parse_args()
    settings = [f"train.max_epoch={asked.epochs}", f"test.eval_freq={asked.eval_freq}"]
    settings += ["train.print_freq=1", "test.visrank=false"]
    settings += [f"train.keep_checkpoints={asked.keep}"] if asked.keep else []
    settings += ["train.checkpoint_minutes=1e-9"] if asked.within_epochs else []
    if asked.validation:
        settings += ["test.select_on=validation", "test.validation_share=0.3"]
    logging.getLogger("reidcore").addHandler(logging.NullHandler())  # its table is enough
    torch.set_num_threads(1)
    bad = total = 0
    with tempfile.TemporaryDirectory() as work:
        sweep = Sweep(Path(work), settings, asked.ranks, asked.full_disk)
        happens = "the disk is full before" if asked.full_disk else "killed before"
        print(f"{happens:52}{'resumed from':28}what differs")
        for outcome in sweep.outcomes(asked.every):
            shown = ", ".join(outcome.differences) or "nothing"
            print(f"{outcome.moment:52}{outcome.resumed_from:28}{shown}", flush=True)
            total, bad = total + 1, bad + bool(outcome.differences)
    print(f"{total} moments, {bad} with a difference")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
