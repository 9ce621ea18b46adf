"""Time and memory of k-reciprocal re-ranking, ours against Torchreid's, in one run.

    python benchmarks/reranking.py --peer ../deep-person-reid
    python benchmarks/reranking.py --queries 3368 --gallery 15913 --rounds 1   # Market-1501's size
    python benchmarks/reranking.py --queries 11659 --gallery 82161 --streamed  # MSMT17's

``matrices`` gives both the same three distance matrices, and compares the re-ranked distances that
they make; ``streamed`` is ours from features to the last block, products of features included and
no matrix stored. Figures are CPU seconds of one thread and the peak memory above the input.
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
from torch import Tensor

from reidcore.evaluation import RerankedDistances
from reidcore.metrics import compute_distance_matrix
from reidcore.utils import re_ranking

Matrices = tuple[np.ndarray, np.ndarray, np.ndarray]


class Measured(NamedTuple):
    """What one call took, and gave."""

    seconds: float
    megabytes: float
    result: Any


def make_features(queries: int, gallery: int, dim: int) -> tuple[Tensor, Tensor]:
    """Make normalised features of people with some twenty images each."""
    rng = np.random.default_rng(0)
    pids = rng.integers(0, (queries + gallery) // 20, queries + gallery)
    centres = rng.standard_normal((pids.max() + 1, dim), dtype=np.float32)
    features = torch.from_numpy(centres[pids])
    features += 1.5 * torch.from_numpy(rng.standard_normal(features.shape, dtype=np.float32))
    features /= features.norm(dim=1, keepdim=True)
    return features[:queries], features[queries:]


def make_matrices(query: Tensor, gallery: Tensor) -> Matrices:
    """Make squared distances, query to gallery, query to query and gallery to gallery."""
    pairs = (query, gallery), (query, query), (gallery, gallery)
    q_g, q_q, g_g = (compute_distance_matrix(*pair).numpy() for pair in pairs)
    return q_g, q_q, g_g


def stream(query: Tensor, gallery: Tensor) -> None:
    """Re-rank features block by block, as the evaluator reads them."""
    for _ in RerankedDistances.of_features(query, gallery).blocks():
        pass


def load_peer(path: str | None) -> Callable[..., Any]:
    """Import Torchreid's re-ranking and nothing else of it."""
    file = peer_package(path) / "utils" / "rerank.py"
    spec = importlib.util.spec_from_file_location("peer_rerank", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.re_ranking  # type: ignore[no-any-return]


def measured(method: Callable[..., Any], *given: Any) -> Measured:
    before = reset_peak()
    began = time.process_time()
    result = method(*given)
    seconds = time.process_time() - began
    return Measured(seconds, (peak_memory() - before) / 1e6, result)


def show(who: str, calls: list[Measured]) -> float:
    seconds = statistics.median(call.seconds for call in calls)
    print(f"  {who:22}{seconds:10.2f}{max(call.megabytes for call in calls):10.0f}", flush=True)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--queries", type=int, default=600)
    parser.add_argument("--gallery", type=int, default=3000)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peer", help="a checkout of Torchreid; default: the installed one")
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--streamed", action="store_true", help="ours from features alone")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    peer = None if arguments.no_peer or arguments.streamed else load_peer(arguments.peer)
    features = make_features(arguments.queries, arguments.gallery, arguments.dim)
    stream(*make_features(50, 100, 8))  # loads the libraries
    print(f"{arguments.queries} queries, {arguments.gallery} gallery items, CPU s and peak MB")
    show("reidcore, streamed", [measured(stream, *features) for _ in range(arguments.rounds)])
    if arguments.streamed:
        return
    made = measured(make_matrices, *features)
    show("the three matrices", [made])
    ours, theirs = [], []
    for _ in range(arguments.rounds):
        ours.append(measured(re_ranking, *made.result))
        if peer:
            theirs.append(measured(peer, *made.result))
    seconds = show("reidcore, matrices", ours)
    if theirs:
        ratio = show("torchreid, matrices", theirs) / seconds
        apart = float(np.abs(ours[0].result - theirs[0].result).max())
        print(f"  theirs/ours {ratio:.1f}x, largest difference of a distance {apart:.1e}")


if __name__ == "__main__":
    main()
