"""Time and memory of k-reciprocal re-ranking, ours against Torchreid's, in one run.

    python benchmarks/reranking.py --peer ../deep-person-reid
    python benchmarks/reranking.py --queries 3368 --gallery 15913 --no-peer

Both get the same three distance matrices and give the re-ranked distances of queries to gallery,
which are compared. Figures are CPU seconds of one thread and the peak memory above the matrices.
``--peer`` names a checkout of Torchreid; without it an installed ``torchreid`` is taken.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from memory import peak_memory, reset_peak
from peer import peer_package

from reidcore.metrics import compute_distance_matrix
from reidcore.utils import re_ranking

Matrices = tuple[np.ndarray, np.ndarray, np.ndarray]


class Measured(NamedTuple):
    """What one call took, and gave."""

    seconds: float
    megabytes: float
    distances: np.ndarray


def make_matrices(queries: int, gallery: int, dim: int) -> Matrices:
    """Make squared distances, query to gallery, query to query and gallery to gallery."""
    rng = np.random.default_rng(0)
    pids = rng.integers(0, (queries + gallery) // 20, queries + gallery)
    centres = rng.standard_normal((pids.max() + 1, dim))
    noise = rng.standard_normal((len(pids), dim))
    features = torch.from_numpy((centres[pids] + 1.5 * noise).astype(np.float32))
    features = torch.nn.functional.normalize(features)
    q, g = features[:queries], features[queries:]
    q_g, q_q, g_g = (compute_distance_matrix(a, b).numpy() for a, b in ((q, g), (q, q), (g, g)))
    return q_g, q_q, g_g


def load_peer(path: str | None) -> Callable[..., Any]:
    """Import Torchreid's re-ranking and nothing else of it."""
    file = peer_package(path) / "utils" / "rerank.py"
    spec = importlib.util.spec_from_file_location("peer_rerank", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.re_ranking  # type: ignore[no-any-return]


def measured(method: Callable[..., Any], matrices: Matrices) -> Measured:
    before = reset_peak()
    began = time.process_time()
    distances = method(*matrices)
    seconds = time.process_time() - began
    return Measured(seconds, (peak_memory() - before) / 1e6, np.asarray(distances))


def show(who: str, calls: list[Measured]) -> float:
    seconds = statistics.median(call.seconds for call in calls)
    print(f"  {who:10}{seconds:10.2f}{max(call.megabytes for call in calls):10.0f}", flush=True)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--queries", type=int, default=600)
    parser.add_argument("--gallery", type=int, default=3000)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peer", help="a checkout of Torchreid; default: the installed one")
    parser.add_argument("--no-peer", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    peer = None if arguments.no_peer else load_peer(arguments.peer)
    matrices = make_matrices(arguments.queries, arguments.gallery, arguments.dim)
    re_ranking(*make_matrices(50, 100, 8))  # loads the kernel
    ours, theirs = [], []
    for _ in range(arguments.rounds):
        ours.append(measured(re_ranking, matrices))
        if peer:
            theirs.append(measured(peer, matrices))
    print(f"{arguments.queries} queries, {arguments.gallery} gallery items")
    print(f"  {'':10}{'CPU s':>10}{'peak MB':>10}")
    seconds = show("reidcore", ours)
    if theirs:
        ratio = show("torchreid", theirs) / seconds
        apart = float(np.abs(ours[0].distances - theirs[0].distances).max())
        print(f"  theirs/ours {ratio:.1f}x, largest difference of a distance {apart:.1e}")


if __name__ == "__main__":
    main()
