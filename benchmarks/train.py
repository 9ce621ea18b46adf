"""Images a second of training, ours against Torchreid's loop, in one run on the same files.

    python -m venv peer                        # Torchreid, in an environment of its own
    peer/bin/pip install torch torchvision tensorboard opencv-python-headless scipy h5py gdown
    peer/bin/pip install --no-deps torchreid==0.2.5
    python benchmarks/train.py --peer-python peer/bin/python --plot train.png
    python benchmarks/train.py --peer-python peer/bin/python --rows none --map --seeds 3
    python benchmarks/train.py --no-peer --rows none --accuracy --seeds 5

Both sides train the same model with the same transforms and optimizer on the same JPEG files:
Torchreid by its ``ImageSoftmaxEngine``, ours as ``reidcore run`` does (its policy for torch's idle
threads, ``train.keep_memory``), once as it comes (``default``) and once with ``train.speed=fast``.
Each measurement is a process of its own that trains two epochs or more, of which the first does not
count; the sides take turns within a round. Printed are the medians: images per second, the ratio,
the share of the time waiting for data, and the peak of memory (of the process; on CUDA that of the
tensors), and what ``fast`` chose.

``--map`` trains both sides on the synthetic dataset by one recipe for several seeds and prints the
final mAP; ``--accuracy`` compares ``fast`` with ``exact`` in the same way. ``--peer`` names a
folder to import Torchreid from with this Python, ``--peer-python`` another Python that has it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bars import draw_bars
from extract import make_photos

HERE = Path(__file__).parent
ROWS = ("torchreid", "default", "fast", "compiled")
# What the commands of reidcore set where the user set none.
POLICY = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "1000"}
RECIPE = {"model": "osnet_x0_25", "height": 128, "width": 64, "batch": 32, "lr": 0.0035}

Found = dict[str, Any]


class Case(NamedTuple):
    """A model, the size of its images and the batch, written ``osnet_x1_0:256x128:16``."""

    model: str
    height: int
    width: int
    batch: int

    @classmethod
    def read(cls, text: str) -> Case:
        """Read a case."""
        model, size, batch = text.split(":")
        height, width = size.split("x")
        return cls(model, int(height), int(width), int(batch))

    def __str__(self) -> str:
        return f"{self.model} {self.height}x{self.width} batch {self.batch}"


CASES = ("osnet_x1_0:256x128:16", "osnet_x0_25:128x64:32", "resnet50:256x128:16")


def run(row: str, job: dict[str, Any], arguments: argparse.Namespace) -> Found:
    """Train once in a process of its own."""
    modes = {"fast": ("fast", "off"), "compiled": ("fast", "default")}
    speed, compiling = modes.get(row, ("exact", "off"))
    is_peer = row == "torchreid"
    whole = {
        **job,
        "speed": speed,
        "compile": compiling,
        "workers": arguments.workers,
        "use_gpu": arguments.device == "cuda",
        "peer": arguments.peer,
    }
    python = arguments.peer_python if is_peer and arguments.peer_python else sys.executable
    script = HERE / ("train_peer.py" if is_peer else "train_ours.py")
    unset = {k: v for k, v in os.environ.items() if not k.startswith(("OMP_WAIT", "GOMP_"))}
    environment = unset if is_peer else {**unset, **POLICY}
    command = [python, "-W", "ignore", str(script), json.dumps(whole)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{row} failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    found: Found = json.loads(done.stdout.splitlines()[-1])
    return found


# -- speed -----------------------------------------------------------------------------------------


def photo_lists(folder: Path, count: int) -> Path:
    """Draw files of a size that photographs of people have, and list them as 8 identities."""
    make_photos(folder, count, 128, 64)
    train = [[str(p), number % 8, number % 4] for number, p in enumerate(sorted(folder.iterdir()))]
    path = folder.with_name("lists.json")
    path.write_text(json.dumps({"train": train, "query": train[:1], "gallery": train[1:2]}))
    return path


def measure(case: Case, arguments: argparse.Namespace) -> dict[str, list[Found]]:
    """Train each row in turns."""
    found: dict[str, list[Found]] = {row: [] for row in arguments.rows}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "photos")
        folder.mkdir()
        lists = photo_lists(folder, case.batch * arguments.steps)
        job = {**case._asdict(), "lists": str(lists), "epochs": arguments.epochs, "lr": 0.0015}
        for number in range(arguments.rounds):
            for row in arguments.rows:
                work = {**job, "seed": number, "evaluate": False}
                found[row].append(run(row, work, arguments))
    return found


class Line(NamedTuple):
    """The medians of a row."""

    rate: float
    waited: float
    peak: float

    @classmethod
    def of(cls, runs: Sequence[Found], images: int) -> Line:
        """Summarise the epochs after the first of each run."""
        pairs = [
            pair for found in runs for pair in zip(found["seconds"], found["waited"], strict=True)
        ]
        first = len(runs[0]["seconds"])
        counted = [pair for number, pair in enumerate(pairs) if number % first]
        return cls(
            statistics.median(images / seconds for seconds, _ in counted),
            statistics.median(waited / seconds for seconds, waited in counted),
            statistics.median(found["peak"] for found in runs) / 2**20,
        )


def compare_speed(arguments: argparse.Namespace) -> None:
    """Print the table, and draw it."""
    print(
        f"{arguments.device}, {arguments.workers} workers, medians of {arguments.rounds} rounds of "
        f"{arguments.epochs - 1} epochs of {arguments.steps} steps\n"
    )
    print("| | | images/s | ratio | waiting for data | peak MB |\n|---|---|---|---|---|---|")
    bars, choices = [], {}
    for case in map(Case.read, arguments.case):
        found = measure(case, arguments)
        lines = {r: Line.of(f, case.batch * arguments.steps) for r, f in found.items()}
        base = next(iter(lines.values())).rate
        for row in ROWS:
            if row not in lines:
                print(f"| {case} | {row} | not measured | | | |")
                continue
            rate, waited, peak = lines[row]
            ratio = f"{rate / base:.2f}x"
            print(f"| {case} | {row} | {rate:.1f} | {ratio} | {waited:.1%} | {peak:.0f} |")
            bars.append((str(case), row, rate, f"{rate:.0f} images/s, {ratio}"))
        choices |= {row: runs[0].get("speed") for row, runs in found.items()}
    if choices.get("fast"):
        print("\nfast chose", ", ".join(f"{k}={v}" for k, v in choices["fast"].items()))
    if arguments.plot:
        draw_bars(bars, f"Training on {arguments.device}, images a second", Path(arguments.plot))


# -- accuracy --------------------------------------------------------------------------------------


def synthetic_lists(root: Path, people: int, seed: int = 0) -> Path:
    """Draw the synthetic dataset, and list it with training identities from 0."""
    from reidcore.data import init_image_dataset

    sizes = {"train_ids": people, "test_ids": people, "seed": seed}
    made = init_image_dataset("synthetic", root=str(root), **sizes)
    numbers = {pid: number for number, pid in enumerate(sorted({s[1] for s in made.train}))}
    lists = {
        "train": [[s[0], numbers[s[1]], s[2]] for s in made.train],
        "query": [list(s[:3]) for s in made.query],
        "gallery": [list(s[:3]) for s in made.gallery],
    }
    path = root / "lists.json"
    path.write_text(json.dumps(lists))
    return path


def compare_map(rows: Sequence[str], arguments: argparse.Namespace) -> None:
    """Print the final mAP of rows by one recipe, over seeds."""
    with tempfile.TemporaryDirectory() as name:
        lists = synthetic_lists(Path(name), arguments.people)
        job = {**RECIPE, "lists": str(lists), "epochs": arguments.map_epochs, "evaluate": True}
        found: dict[str, list[float]] = {row: [] for row in rows}
        for seed in range(1, arguments.seeds + 1):
            for row in rows:
                found[row].append(run(row, {**job, "seed": seed}, arguments)["mAP"])
    print(f"\nmAP after {arguments.map_epochs} epochs of {RECIPE['model']}, synthetic, by seed")
    for row, values in found.items():
        spread = statistics.stdev(values) if len(values) > 1 else float("nan")
        each = " ".join(f"{value:.1%}" for value in values)
        print(f"{row:10} mean {statistics.mean(values):.1%}  deviation {spread:.1%}  ({each})")
    if rows == ("default", "fast") and arguments.seeds > 1:
        apart = abs(statistics.mean(found["fast"]) - statistics.mean(found["default"]))
        spread = statistics.stdev(found["default"])
        verdict = "within" if apart <= spread else "NOT within"
        print(f"fast is {apart:.1%} from exact: {verdict} one standard deviation, {spread:.1%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--case", nargs="*", default=CASES, help="such as osnet_x1_0:256x128:16")
    parser.add_argument(
        "--rows", nargs="*", choices=(*ROWS, "none"), default=["torchreid", "default", "fast"]
    )
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--workers", type=int, default=min(4, len(os.sched_getaffinity(0))))
    parser.add_argument("--steps", type=int, default=8, help="of an epoch")
    parser.add_argument("--epochs", type=int, default=3, help="the first does not count")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--plot", help="a PNG file to draw")
    parser.add_argument("--map", action="store_true", help="final mAP of both sides")
    parser.add_argument("--accuracy", action="store_true", help="final mAP of exact and fast")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument(
        "--people", type=int, default=60, help="of each half of the synthetic dataset"
    )
    parser.add_argument("--map-epochs", type=int, default=8)
    parser.add_argument("--peer", help="a folder to import torchreid from")
    parser.add_argument("--peer-python", help="the Python of an environment that has torchreid")
    parser.add_argument("--no-peer", action="store_true")
    arguments = parser.parse_args()
    if arguments.no_peer:
        arguments.rows = [row for row in arguments.rows if row != "torchreid"]
    if arguments.rows and arguments.rows != ["none"]:
        compare_speed(arguments)
    if arguments.map:
        compare_map(("default",) if arguments.no_peer else ("torchreid", "default"), arguments)
    if arguments.accuracy:
        compare_map(("default", "fast"), arguments)


if __name__ == "__main__":
    main()
