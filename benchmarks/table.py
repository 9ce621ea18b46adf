"""Start-up cost of a dataset of a million images, ours against Torchreid's, in one run.

    python benchmarks/table.py --peer ../deep-person-reid
    python benchmarks/table.py --images 100000 --no-peer

The files of Market-1501, empty and as many as asked for, are made in a temporary folder (a million
take half a minute). Then each is read in a process of its own: Torchreid's Market1501 class, which
ends in lists of tuples, and our market1501.

Seconds do not include imports; ratios are of CPU time, which other work on the machine changes
less. Memory is what the process grew by: at most, and once the dataset is
there. A worker is a forked or spawned process, as a DataLoader's, that touches every sample:
counted is its private memory beyond that of a worker without a dataset. ``--peer`` names a checkout
of Torchreid; without it an installed ``torchreid`` is taken.
"""

from __future__ import annotations

import argparse
import gc
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from types import ModuleType
from typing import Any

from memory import peak_memory, reset_peak, status_bytes
from peer import peer_package

MIB = 2**20
RELEASE = Path("market1501", "Market-1501-v15.09.15")


def make_files(root: Path, images: int) -> None:
    """Write images - 2 training files, a query and a gallery image, all empty."""
    for folder in ("bounding_box_train", "query", "bounding_box_test"):
        (root / RELEASE / folder).mkdir(parents=True)
    train = os.open(root / RELEASE / "bounding_box_train", os.O_RDONLY)
    for number in range(images - 2):
        camera, pid = number % 6 + 1, number % 751 + 2
        name = f"{pid:04d}_c{camera}s1_{number:06d}_01.jpg"
        os.close(os.open(name, os.O_CREAT | os.O_WRONLY, dir_fd=train))
    os.close(train)
    (root / RELEASE / "query" / "0001_c1s1_000001_01.jpg").touch()
    (root / RELEASE / "bounding_box_test" / "0001_c2s1_000001_01.jpg").touch()


def theirs(root: Path, peer: str | None) -> Callable[[], Sequence[Any]]:
    sys.path.insert(0, str(peer_package(peer).parent))
    sys.modules.setdefault("gdown", ModuleType("gdown"))  # fetches datasets, which none are here
    from torchreid.data.datasets.image.market1501 import Market1501

    return lambda: Market1501(root=str(root), verbose=False).train  # type: ignore[no-any-return]


def ours(root: Path, peer: str | None) -> Callable[[], Sequence[Any]]:
    from reidcore import registry
    from reidcore.data import init_image_dataset

    registry.find("datasets", "market1501").load()
    return lambda: init_image_dataset("market1501", root=root).train


def measure(case: str, root: Path, peer: str | None) -> dict[str, float]:
    read = (theirs if case == "torchreid" else ours)(root, peer)
    before = reset_peak()
    began, cpu_began = time.perf_counter(), time.process_time()
    samples = read()
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu_began
    most = peak_memory() - before
    gc.collect()
    return {
        "images": len(samples),
        "seconds": seconds,
        "cpu": cpu,
        "most": most / MIB,
        "held": (status_bytes("VmRSS") - before) / MIB,
        "fork": worker_memory("fork", samples),
        "spawn": worker_memory("spawn", samples),
    }


def worker_memory(start: str, samples: Sequence[Any]) -> float:
    """Return the MiB that a worker has for itself, beyond one that has nothing to touch."""
    return (private_memory(start, samples) - private_memory(start, [])) / MIB


def private_memory(start: Any, samples: Sequence[Any]) -> int:
    context = multiprocessing.get_context(start)
    here, there = context.Pipe()
    worker = context.Process(target=touch, args=(samples, there))
    worker.start()
    found: int = here.recv()
    worker.join()
    return found


def touch(samples: Sequence[Any], tell: Connection) -> None:
    checked = 0
    for row in range(len(samples)):
        path, pid, *_ = samples[row]
        checked += len(path) + pid
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    own = next(line for line in lines if line.startswith("Private_Dirty"))
    tell.send(int(own.split()[1]) * 1024)


def in_own_process(case: str, root: Path, peer: str | None) -> dict[str, float]:
    words = [sys.executable, __file__, "--measure", case, "--root", str(root)]
    done = subprocess.run(
        [*words, *(["--peer", peer] if peer else [])],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def show(case: str, found: dict[str, float], peer: dict[str, float] | None) -> None:
    row = f"{case:10} {found['seconds']:7.2f} s {found['cpu']:7.2f} s"
    for name in ("most", "held", "fork", "spawn"):
        row += f" {found[name]:8.0f} MiB"
    if peer is not None:
        faster = peer["cpu"] / found["cpu"]
        smaller = peer["fork"] / max(found["fork"], 1.0)
        row += f"   {faster:5.1f}x as fast, a forked worker {smaller:.0f}x as small"
    print(row, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("--peer", help="checkout of Torchreid")
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parser.add_argument("--root", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(arguments.measure, arguments.root, arguments.peer)))
        return
    if not arguments.no_peer:
        peer_package(arguments.peer)  # ends the program before a million files are made
    with tempfile.TemporaryDirectory() as folder:
        print(f"making {arguments.images:,} empty files ...", flush=True)
        root = Path(folder)
        make_files(root, arguments.images)
        print("             reading       CPU      at most        there  fork worker spawn worker")
        peer = None
        if not arguments.no_peer:
            peer = in_own_process("torchreid", root, arguments.peer)
            show("torchreid", peer, None)
        show("reidcore", in_own_process("reidcore", root, None), peer)


if __name__ == "__main__":
    main()
