"""What each of several processes runs, started by torchrun: every case, one after the other.

A case is a function ``case_NAME(folder)`` of a module ``cases_*.py`` beside this file. All
processes run it alike, and what each returns is saved as ``NAME-RANK.pt``; the tests read it.

Usage: ``torchrun --nproc-per-node=2 launched.py OUT [NAME...]``
"""

from __future__ import annotations

import importlib
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from reidcore.engine import join_processes

HERE = Path(__file__).parent
PATIENCE = timedelta(seconds=60)


def cases() -> Iterator[tuple[str, Callable[[Path], Any]]]:
    """Yield the names and functions of all cases, in one order everywhere."""
    for path in sorted(HERE.glob("cases_*.py")):
        module = importlib.import_module(path.stem)
        for name, function in vars(module).items():
            if name.startswith("case_"):
                yield name.removeprefix("case_"), function


def main(out: Path, *names: str) -> None:
    """Run cases, all of them unless some are named."""
    with join_processes(PATIENCE):
        rank = dist.get_rank()
        for name, function in cases():
            if names and name not in names:
                continue
            started = time.perf_counter()
            folder = out / name
            folder.mkdir(exist_ok=True)
            try:
                result = {"result": function(folder)}
            except Exception:
                result = {"error": traceback.format_exc()}
            result["seconds"] = time.perf_counter() - started
            torch.save(result, out / f"{name}-{rank}.pt")
    torch.save({"result": names_of_threads()}, out / f"afterwards-{rank}.pt")


def names_of_threads() -> list[str]:
    """Return the names of this process's threads, those of libraries too; Linux alone tells."""
    return [(task / "comm").read_text().strip() for task in Path("/proc/self/task").glob("*")]


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
