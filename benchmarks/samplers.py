"""Time of the balanced samplers, ours against Torchreid's, in one run.

    python benchmarks/samplers.py --peer ../deep-person-reid
    python benchmarks/samplers.py --rows 30000 --large 1000000 --no-peer

Building a sampler and drawing one epoch, on the same labels: 50 images an identity, 6 cameras and
3 datasets of unequal size. Torchreid's camera and dataset samplers take time that grows with the
square of the rows, about a minute for 100,000. Ours are measured on ``--large`` rows as well.
``--peer`` names a checkout of Torchreid; without it an installed ``torchreid`` is taken. The three
samplers that Torchreid lacks are measured alone, that of hard identities without the network's look
at an image of each.
"""

from __future__ import annotations

import argparse
import importlib.util
import random
import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
from peer import peer_package
from reid_plugins_engines import samplers

from reidcore.data.table import SampleTable

# Sampler, images in a batch, labels in a batch (num_instances for identities)
CASES = (
    ("RandomIdentitySampler", 64, 4),
    ("RandomDomainSampler", 60, 6),
    ("RandomDatasetSampler", 60, 3),
    ("CameraIdentitySampler", 64, 4),  # this one and the next two are not Torchreid's
    ("BalancedDomainSampler", 60, 4),
    ("HardIdentitySampler", 64, 4),
)


class Timed(NamedTuple):
    """Seconds, and what an epoch shows."""

    build: float
    epoch: float
    shown: int
    distinct: int

    @property
    def total(self) -> float:
        """Seconds from labels to an epoch."""
        return self.build + self.epoch


def make_table(rows: int) -> SampleTable:
    rng = np.random.default_rng(0)
    return SampleTable(
        [f"{row}.jpg" for row in range(rows)],
        rng.integers(0, rows // 50, rows),
        rng.choice(6, rows, p=[0.3, 0.22, 0.18, 0.14, 0.1, 0.06]),
        rng.choice(3, rows, p=[0.5, 0.3, 0.2]),
    )


def timed(build: Callable[[], Any], epoch: Callable[[Any], Iterable[int]]) -> Timed:
    began = time.process_time()
    sampler = build()
    built = time.process_time()
    order = np.asarray(epoch(sampler))
    done = time.process_time()
    return Timed(built - began, done - built, len(order), len(np.unique(order)))


def ours(name: str, table: SampleTable, batch: int, share: int) -> Timed:
    kind = getattr(samplers, name)
    return timed(lambda: kind(table, batch, 0, share), lambda sampler: sampler.order(0))


def theirs(peer: Any, name: str, table: SampleTable, batch: int, share: int) -> Timed:
    random.seed(0)
    np.random.seed(0)
    samples = [tuple(sample) for sample in table]
    return timed(
        lambda: getattr(peer, name)(samples, batch, share), lambda sampler: list(iter(sampler))
    )


def load_peer(path: str | None) -> Any:
    """Import Torchreid's samplers and nothing else of it."""
    spec = importlib.util.spec_from_file_location(
        "peer_sampler", peer_package(path) / "data" / "sampler.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def show(who: str, rows: int, found: Timed, peer: Timed | None = None) -> None:
    ratio = f"{peer.total / found.total:.0f}x" if peer else "-"
    print(
        f"  {who:10}{rows:>10,}{found.build:10.3f}{found.epoch:10.3f}"
        f"{found.shown:>11,}{found.distinct / rows:>10.0%}{ratio:>12}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000, help="for both")
    parser.add_argument("--large", type=int, default=1_000_000, help="for ours alone")
    parser.add_argument("--peer", help="a checkout of Torchreid; default: the installed one")
    parser.add_argument("--no-peer", action="store_true")
    arguments = parser.parse_args()
    peer = None if arguments.no_peer else load_peer(arguments.peer)
    table, large = make_table(arguments.rows), make_table(arguments.large)
    titles = ("build s", "epoch s", "shown", "coverage", "theirs/ours")
    print(f"  {'':10}{'rows':>10}{titles[0]:>10}{titles[1]:>10}{titles[2]:>11}", end="")
    print(f"{titles[3]:>10}{titles[4]:>12}")
    for name, batch, share in CASES:
        print(f"{name}, batches of {batch}")
        known = hasattr(peer, name)
        reference = theirs(peer, name, table, batch, share) if known else None
        if reference:
            show("torchreid", arguments.rows, reference)
        show("reidcore", arguments.rows, ours(name, table, batch, share), reference)
        show("reidcore", arguments.large, ours(name, large, batch, share))
    print("CPU seconds of one process; coverage is the share of rows that the epoch shows.")


if __name__ == "__main__":
    main()
