"""Time and memory of evaluation at the sizes of benchmarks, ours against its peers, in one run.

    python benchmarks/evaluation.py --peer ../deep-person-reid --boxmot ../boxmot/bin/python
    python benchmarks/evaluation.py --size msmt17 --rounds 1 --no-peer
    python benchmarks/evaluation.py --queries 2000 --gallery 200000 --no-peer

Each method runs in a process of its own, in turns, on the same features, and is told apart by
time (from features to CMC and mAP), CPU time, and peak memory above the loaded features. The floor
is the product of the two matrices by torch, in tiles that are thrown away.

What would take too long or too much memory is measured on some of the queries and scaled by their
share, and marked ``*``: time is, and so is the memory of the peers, who store all distances.

``--peer`` names a checkout of Torchreid whose Cython extension is built (``python setup.py
build_ext --inplace``); without it an installed ``torchreid`` is taken. ``--boxmot`` names the
Python of an environment where BoxMOT (AGPL-3.0) is installed: its evaluator is run there as it is,
by cosine, which orders these features alike.
"""

from __future__ import annotations

import argparse
import importlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np
import torch
from memory import peak_memory, reset_peak
from peer import peer_package

Problem = dict[str, np.ndarray]
Found = tuple[float, float]  # mAP, rank-1
Method = Callable[[Problem, str], Found]


class Size(NamedTuple):
    """How many images and identities there are, and how many of the gallery are of none of them."""

    queries: int
    gallery: int
    people: int
    distractors: int


SIZES = {
    "market1501": Size(3368, 15913, 750, 2798),
    "msmt17": Size(11659, 82161, 3060, 0),
    "market1501+500k": Size(3368, 515913, 750, 502798),
}
PART_PAIRS = 60_000_000  # pairs of images that a method other than ours is measured on
STORING = ("torchreid", "boxmot")  # all distances at once
PYTHON_PAIRS = 5_000_000  # Torchreid's pure Python takes minutes


def make_problem(size: Size, dim: int) -> Problem:
    """Make clustered features of about Market1501's difficulty, seen by 6 cameras."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((size.people + 1, dim), dtype=np.float32)
    problem = {}
    for side, count in (("q", size.queries), ("g", size.gallery)):
        pids = rng.integers(1, size.people + 1, count)
        if side == "g":
            pids[rng.permutation(count)[: size.distractors]] = 0
        spread = rng.uniform(1.0, 3.2, (count, 1)).astype(np.float32)
        features = np.empty((count, dim), dtype=np.float32)
        for start in range(0, count, 10_000):
            part = slice(start, start + 10_000)
            features[part] = rng.standard_normal(features[part].shape, dtype=np.float32)
            features[part] *= spread[part]
            features[part] += np.where(pids[part, None], centres[pids[part]], 0)
            features[part] /= np.linalg.norm(features[part], axis=1, keepdims=True)
        problem |= {
            f"{side}_features": features,
            f"{side}_pids": pids,
            f"{side}_camids": rng.integers(0, 6, count),
        }
    return problem


def ours(kind: str) -> Method:
    from reidcore.evaluation import evaluate_features
    from reidcore.evaluation.kernel import counting_with

    def run(problem: Problem, metric: str) -> Found:
        features = problem["q_features"], problem["g_features"]
        with counting_with(kind):
            result = evaluate_features(*features, *labels(problem), metric=metric)
        return result.mAP, float(result.cmc[0])

    return run


def floor(problem: Problem, metric: str) -> Found:
    query, gallery = (torch.from_numpy(problem[f"{side}_features"]) for side in "qg")
    tile = torch.empty(1024 * 4096)
    for rows in query.split(1024):
        for columns in gallery.split(4096):
            torch.mm(rows, columns.T, out=tile[: len(rows) * len(columns)].view(len(rows), -1))
    return float("nan"), float("nan")


def boxmot(problem: Problem, metric: str) -> Found:
    from boxmot.reid.training import evaluator  # type: ignore[import-not-found]

    distances = evaluator.compute_distance_matrix(problem["q_features"], problem["g_features"])
    cmc, mean = evaluator.evaluate_ranking(distances, *labels(problem))
    return float(mean), float(cmc[0])


def torchreid(path: str | None) -> tuple[str, Method]:
    """Return the peer's name and method, importing nothing of it but what is measured."""
    root = peer_package(path)
    for name in ("torchreid", "torchreid.metrics"):
        package = ModuleType(name)
        package.__path__ = [str(root.joinpath(*name.split(".")[1:]))]
        sys.modules[name] = package
    distance = importlib.import_module("torchreid.metrics.distance")
    rank = importlib.import_module("torchreid.metrics.rank")

    def run(problem: Problem, metric: str) -> Found:
        distances = distance.compute_distance_matrix(
            torch.from_numpy(problem["q_features"]),
            torch.from_numpy(problem["g_features"]),
            metric,
        )
        cmc, mean = rank.evaluate_rank(distances.numpy(), *labels(problem))
        return float(mean), float(cmc[0])

    return ("cython" if rank.IS_CYTHON_AVAI else "python"), run


def labels(problem: Problem) -> list[np.ndarray]:
    return [problem[name] for name in ("q_pids", "g_pids", "q_camids", "g_camids")]


def method_of(name: str, peer: str | None) -> tuple[str, Method, int | None]:
    """Return what a method is called, the method, and on how many pairs it is measured."""
    if name == "torchreid":
        kind, method = torchreid(peer)
        return f"torchreid ({kind})", method, PYTHON_PAIRS if kind == "python" else PART_PAIRS
    if name == "boxmot":
        return "boxmot", boxmot, PART_PAIRS
    if name == "floor":
        return "matrix product alone", floor, PART_PAIRS
    return f"reidcore ({name})", ours(name), None if name == "cython" else PART_PAIRS


def work(arguments: argparse.Namespace) -> None:
    """Measure one method once and print the figures as JSON: what a child process does."""
    torch.set_num_threads(arguments.threads)
    problem = {path.stem: np.load(path) for path in Path(arguments.data).glob("*.npy")}
    name, method, pairs = method_of(arguments.work, arguments.peer)
    queries, gallery = len(problem["q_pids"]), len(problem["g_pids"])
    part = queries if pairs is None else min(queries, max(1, pairs // gallery))
    for key in ("q_features", "q_pids", "q_camids"):
        problem[key] = problem[key][:part].copy()
    small = {key: np.ascontiguousarray(values[:500]) for key, values in problem.items()}
    method(small, arguments.metric)  # imports and thread pools are not what is measured

    before = reset_peak()
    wall, cpu = time.perf_counter(), time.process_time()
    mean, first = method(problem, arguments.metric)
    scale = queries / part
    figures = {
        "name": name + " *" * (scale > 1),
        "wall": (time.perf_counter() - wall) * scale,
        "cpu": (time.process_time() - cpu) * scale,
        "peak": (peak_memory() - before) / 2**20 * (scale if arguments.work in STORING else 1),
        "mAP": mean if scale == 1 else float("nan"),
        "rank1": first if scale == 1 else float("nan"),
    }
    print(json.dumps(figures))


def measure(arguments: argparse.Namespace, data: str) -> dict[str, list[dict[str, float]]]:
    interpreters = {"cython": sys.executable, "torch": sys.executable, "floor": sys.executable}
    if not arguments.no_peer:
        interpreters["torchreid"] = sys.executable
    if arguments.boxmot:
        interpreters["boxmot"] = arguments.boxmot
    found: dict[str, list[dict[str, float]]] = {}
    for _ in range(arguments.rounds):
        for method, python in interpreters.items():
            command = [python, __file__, "--work", method, "--data", data]
            command += ["--threads", str(arguments.threads), "--metric", arguments.metric]
            command += ["--peer", arguments.peer] if arguments.peer else []
            child = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            figures = json.loads(child.stdout.splitlines()[-1])
            found.setdefault(figures.pop("name"), []).append(figures)
    return found


def show(found: dict[str, list[dict[str, float]]]) -> None:
    medians = {
        name: {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        for name, runs in found.items()
    }
    ours = next(iter(medians.values()))
    print(
        f"{'':28}{'wall s':>9}{'CPU s':>9}{'peak MB':>9}{'mAP':>9}{'rank-1':>9}{'CPU / ours':>12}"
    )
    for name, figures in medians.items():
        quality = "".join(f"{figures[key]:9.5f}" for key in ("mAP", "rank1")).replace("nan", "  -")
        print(
            f"{name:28}{figures['wall']:9.2f}{figures['cpu']:9.2f}{figures['peak']:9.0f}"
            f"{quality}{figures['cpu'] / ours['cpu']:11.1f}x"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", action="append", choices=SIZES, help="default: all of them")
    parser.add_argument("--queries", type=int, help="with --gallery: a size of one's own")
    parser.add_argument("--gallery", type=int)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--metric", choices=("euclidean", "cosine"), default="euclidean")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peer", help="a checkout of Torchreid; default: the installed one")
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--boxmot", help="the Python of an environment that has BoxMOT")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    parser.add_argument("--data", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        work(arguments)
        return
    sizes = {name: SIZES[name] for name in arguments.size or SIZES}
    if arguments.queries and arguments.gallery:
        people = max(1, arguments.gallery // 20)
        sizes = {"own size": Size(arguments.queries, arguments.gallery, people, 0)}
    for name, size in sizes.items():
        with tempfile.TemporaryDirectory() as data:
            for key, values in make_problem(size, arguments.dim).items():
                np.save(Path(data, f"{key}.npy"), values)
            print(
                f"{name}: {size.queries} x {size.gallery}, D = {arguments.dim}, "
                f"{arguments.metric}, threads = {arguments.threads}, rounds = {arguments.rounds}"
            )
            show(measure(arguments, data))
    print("Medians; peak is above the loaded features; * measured on some queries, and scaled.")


if __name__ == "__main__":
    main()
