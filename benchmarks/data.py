"""Images a second of the training pipeline, ours against Torchreid's, in one run on the same files.

    python benchmarks/data.py --peer ../deep-person-reid
    python benchmarks/data.py --height 512 --width 256 --rounds 1 --no-peer

Both sides read JPEG files and end in the same normalised float32 batches, which is checked first.
They are Torchreid's own dataset, transforms and torch loader, as its data manager makes them, and
our loader, with the same names of transforms, in the same order of files. Each measurement is an
epoch after a first one, which starts the workers and fills the cache; the sides take turns. CPU
seconds are those of all processes: they say more than the clock where a machine is shared. Ours
starts no more workers than there are CPUs, whatever it is asked for.
``--peer`` names a checkout of Torchreid; without it an installed ``torchreid`` is taken.
"""

from __future__ import annotations

import argparse
import importlib
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import torch
from extract import make_photos
from peer import peer_package
from torch.utils.data import DataLoader, SequentialSampler

from reidcore.config.options import LoadingOptions
from reidcore.data.dataset import ImageDataset
from reidcore.data.images.cache import PixelCache
from reidcore.data.loader.batch_sampler import FileOrder
from reidcore.data.loader.loader import Loading, loader_for_training
from reidcore.data.transforms.build import build_transforms

Batches = Iterable[dict[str, Any]]


class Spent(NamedTuple):
    """What an epoch took, in seconds."""

    wall: float
    cpu: float


def ours(
    files: list[str],
    arguments: argparse.Namespace,
    workers: int,
    cache: str,
    resize: str = "torch",
    **more: Any,
) -> Batches:
    transform, _ = build_transforms(*arguments.size, arguments.transforms, resize=resize)
    samples = [(path, number % 50, number % 6) for number, path in enumerate(files)]
    dataset = ImageDataset(samples, [], [], transform=transform, verbose=False)
    options = LoadingOptions(workers=workers, **more)
    loading = Loading(options, cache=PixelCache(cache))
    return loader_for_training(dataset, FileOrder(len(files)), arguments.batch, loading)


def peer(files: list[str], arguments: argparse.Namespace, workers: int) -> Batches:
    """Return the loader that Torchreid's data manager would make."""
    datasets, transforms = _peer_modules(arguments.peer)
    transform, _ = transforms.build_transforms(*arguments.size, list(arguments.transforms))
    samples = [(path, number % 50, number % 6, 0) for number, path in enumerate(files)]
    dataset = datasets.ImageDataset(
        samples, samples[:1], samples[:1], transform=transform, verbose=False
    )
    return DataLoader(
        dataset,
        sampler=SequentialSampler(dataset),
        batch_size=arguments.batch,
        shuffle=False,
        num_workers=workers,
        drop_last=True,
    )


def _peer_modules(checkout: str | None) -> tuple[Any, Any]:
    """Import nothing of the peer but what is measured; a repack has it one package further in."""
    folder = peer_package(checkout)
    root = "torchreid"
    if (folder / "reid").is_dir():
        _bare_package(root, folder)
        root, folder = "torchreid.reid", folder / "reid"
    _bare_package(root, folder)
    _bare_package(f"{root}.data", folder / "data")
    _bare_package(f"{root}.data.datasets", folder / "data" / "datasets")
    dataset = importlib.import_module(f"{root}.data.datasets.dataset")
    return dataset, importlib.import_module(f"{root}.data.transforms")


def _bare_package(name: str, folder: Path) -> None:
    package = ModuleType(name)
    package.__path__ = [str(folder)]
    sys.modules.setdefault(name, package)


def largest_difference(files: list[str], arguments: argparse.Namespace, resize: str) -> float:
    """Return the largest difference between the batches of the two sides, without chance."""
    plain = argparse.Namespace(**{**vars(arguments), "transforms": []})
    largest = 0.0
    for cache in ("off", "ram", "ram"):
        both = zip(ours(files, plain, 0, cache, resize), peer(files, plain, 0), strict=True)
        for mine, theirs in both:
            assert mine["impath"] == theirs["impath"]
            assert mine["img"].dtype == theirs["img"].dtype == torch.float32
            largest = max(largest, float((mine["img"] - theirs["img"]).abs().max()))
    return largest


def measured(loader: Batches) -> Iterator[Spent]:
    """Yield what an epoch takes, again and again, after one that does not count."""
    for _ in loader:
        pass
    while True:
        wall, cpu = time.perf_counter(), _cpu_seconds()
        for _ in loader:
            pass
        yield Spent(time.perf_counter() - wall, _cpu_seconds() - cpu)


def _cpu_seconds() -> float:
    """Return the CPU time of this process and all its children, running ones included."""
    own = time.process_time()
    ended = os.times()
    return own + ended.children_user + ended.children_system + sum(map(_of_child, _children()))


def _children() -> list[str]:
    try:
        return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    except OSError:
        return []


def _of_child(pid: str) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def compare(files: list[str], arguments: argparse.Namespace) -> None:
    print(f"{'':28}{'images/s':>10}{'CPU ms/image':>14}{'ratio':>8}{'CPU ratio':>11}")
    images = len(files) // arguments.batch * arguments.batch
    for workers in arguments.workers:
        sides: dict[str, Callable[[], Batches]] = {
            "reidcore": partial(ours, files, arguments, workers, "off"),
            "reidcore, Pillow resizes": partial(ours, files, arguments, workers, "off", "pillow"),
            "reidcore, cache on disk": partial(ours, files, arguments, workers, "disk"),
            "reidcore, cache in memory": partial(ours, files, arguments, workers, "ram"),
        }
        if not arguments.no_peer:
            sides = {"torchreid": partial(peer, files, arguments, workers), **sides}
        running = {name: measured(make()) for name, make in sides.items()}
        spent: dict[str, list[Spent]] = {name: [] for name in sides}
        for _ in range(arguments.rounds):
            for name, epochs in running.items():
                spent[name].append(next(epochs))
        print(f"{workers} workers")
        base = None
        for name, epochs_spent in spent.items():
            wall = statistics.median(epoch.wall for epoch in epochs_spent)
            cpu = statistics.median(epoch.cpu for epoch in epochs_spent)
            base = base or Spent(wall, cpu)
            print(
                f"  {name:26}{images / wall:10.0f}{cpu / images * 1000:14.3f}"
                f"{base.wall / wall:7.2f}x{base.cpu / cpu:10.2f}x"
            )
        running.clear()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=1280)
    parser.add_argument("--height", type=int, default=128, help="of the files; they vary a little")
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--size", type=int, nargs=2, default=(256, 128), help="of the batches")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--transforms", nargs="*", default=["random_flip"])
    parser.add_argument("--workers", type=int, nargs="*", default=[0, 2, 4])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peer", help="a checkout of Torchreid; default: the installed one")
    parser.add_argument("--no-peer", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    np.random.seed(0)
    with tempfile.TemporaryDirectory() as name:
        os.environ["REIDCORE_HOME"] = name  # the cache on disk is one of its own
        folder = Path(name, "photos")
        folder.mkdir()
        make_photos(folder, arguments.images, arguments.height, arguments.width)
        files = sorted(map(str, folder.iterdir()))
        print(
            f"{len(files)} JPEG files of about {arguments.height} x {arguments.width} to batches "
            f"of {arguments.batch} at {arguments.size[0]} x {arguments.size[1]}, "
            f"{', '.join(arguments.transforms) or 'no augmentation'}; medians of "
            f"{arguments.rounds} rounds"
        )
        if not arguments.no_peer:
            for resize in ("torch", "pillow"):
                largest = largest_difference(files[: 3 * arguments.batch], arguments, resize)
                print(f"largest difference from Torchreid's values, {resize}: {largest:.1e}")
        compare(files, arguments)


if __name__ == "__main__":
    main()
