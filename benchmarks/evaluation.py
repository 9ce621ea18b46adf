"""Time and memory of evaluation, ours against Torchreid's, in one run.

    python benchmarks/evaluation.py --peer ../deep-person-reid
    python benchmarks/evaluation.py --queries 2000 --gallery 200000 --rounds 1 --no-peer

Each method runs in a process of its own, in turns, on the same features, and is told apart by
time (from features to CMC and mAP), CPU time, and peak memory above the loaded features.
``--peer`` names a checkout of Torchreid whose Cython extension is built (``python setup.py
build_ext --inplace``); without it an installed ``torchreid`` is taken.
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

import numpy as np
import torch
from memory import peak_memory, reset_peak
from peer import peer_package

Found = tuple[float, float]  # mAP, rank-1
Method = Callable[[dict[str, np.ndarray], str], Found]

PYTHON_PEER_QUERIES = 300  # Torchreid's pure Python takes minutes: measured on these, scaled


def make_problem(queries: int, gallery: int, dim: int) -> dict[str, np.ndarray]:
    """Make clustered features of about Market1501's difficulty: 750 identities, 6 cameras."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((750, dim), dtype=np.float32)
    problem = {}
    for side, count in (("q", queries), ("g", gallery)):
        pids = rng.integers(0, 750, count)
        if side == "g":
            pids[rng.random(count) < 0.15] = 0  # distractors
        spread = rng.uniform(1.0, 3.2, (count, 1)).astype(np.float32)
        features = np.empty((count, dim), dtype=np.float32)
        for start in range(0, count, 10_000):
            part = slice(start, start + 10_000)
            noise = rng.standard_normal(features[part].shape, dtype=np.float32)
            features[part] = centres[pids[part]] + spread[part] * noise
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

    def run(problem: dict[str, np.ndarray], metric: str) -> Found:
        with counting_with(kind):
            result = evaluate_features(
                problem["q_features"],
                problem["g_features"],
                *labels(problem),
                metric=metric,
            )
        return result.mAP, float(result.cmc[0])

    return run


def torchreid(path: str | None) -> tuple[str, Method]:
    """Return the peer's name and method, importing nothing of it but what is measured."""
    root = peer_package(path)
    for name in ("torchreid", "torchreid.metrics"):
        package = ModuleType(name)
        package.__path__ = [str(root.joinpath(*name.split(".")[1:]))]
        sys.modules[name] = package
    distance = importlib.import_module("torchreid.metrics.distance")
    rank = importlib.import_module("torchreid.metrics.rank")

    def run(problem: dict[str, np.ndarray], metric: str) -> Found:
        distances = distance.compute_distance_matrix(
            torch.from_numpy(problem["q_features"]),
            torch.from_numpy(problem["g_features"]),
            metric,
        )
        cmc, mean = rank.evaluate_rank(distances.numpy(), *labels(problem))
        return float(mean), float(cmc[0])

    return ("cython" if rank.IS_CYTHON_AVAI else "python"), run


def labels(problem: dict[str, np.ndarray]) -> list[np.ndarray]:
    return [problem[name] for name in ("q_pids", "g_pids", "q_camids", "g_camids")]


def work(arguments: argparse.Namespace) -> None:
    """Measure one method once and print the figures as JSON: what a child process does."""
    torch.set_num_threads(arguments.threads)
    problem = {path.stem: np.load(path) for path in Path(arguments.data).glob("*.npy")}
    name, scale = arguments.work, 1.0
    if name == "torchreid":
        kind, method = torchreid(arguments.peer)
        name = f"torchreid ({kind})"
        if kind == "python":
            scale = max(1.0, len(problem["q_pids"]) / PYTHON_PEER_QUERIES)
            name += ", scaled" if scale > 1 else ""
            for key in ("q_features", "q_pids", "q_camids"):
                problem[key] = problem[key][:PYTHON_PEER_QUERIES]
    else:
        method = ours(name)
        name = f"reidcore ({name})"
    small = {key: np.ascontiguousarray(values[:500]) for key, values in problem.items()}
    method(small, arguments.metric)  # imports and thread pools are not what is measured

    before = reset_peak()
    wall, cpu = time.perf_counter(), time.process_time()
    mean, first = method(problem, arguments.metric)
    figures = {
        "name": name,
        "wall": (time.perf_counter() - wall) * scale,
        "cpu": (time.process_time() - cpu) * scale,
        "peak": (peak_memory() - before) / 2**20,
        "mAP": mean,
        "rank1": first,
    }
    print(json.dumps(figures))


def measure(arguments: argparse.Namespace, data: str) -> dict[str, list[dict[str, float]]]:
    methods = ["cython", "torch"] + ["torchreid"] * (not arguments.no_peer)
    found: dict[str, list[dict[str, float]]] = {}
    for _ in range(arguments.rounds):
        for method in methods:
            command = [sys.executable, __file__, "--work", method, "--data", data]
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
    peer = next((figures for name, figures in medians.items() if "torchreid" in name), None)
    print(f"{'':28}{'wall s':>9}{'CPU s':>9}{'peak MB':>9}{'mAP':>9}{'rank-1':>9}{'peer/this':>11}")
    for name, figures in medians.items():
        ratio = f"{peer['cpu'] / figures['cpu']:.1f}x" if peer else "-"
        print(
            f"{name:28}{figures['wall']:9.2f}{figures['cpu']:9.2f}{figures['peak']:9.0f}"
            f"{figures['mAP']:9.5f}{figures['rank1']:9.5f}{ratio:>11}"
        )
    print("Medians; peer/this is a ratio of CPU times; peak is above the loaded features.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--queries", type=int, default=3368, help="Market1501 has 3,368")
    parser.add_argument("--gallery", type=int, default=15913, help="Market1501 has 15,913")
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--metric", choices=("euclidean", "cosine"), default="euclidean")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peer", help="a checkout of Torchreid; default: the installed one")
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    parser.add_argument("--data", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        work(arguments)
        return
    with tempfile.TemporaryDirectory() as data:
        problem = make_problem(arguments.queries, arguments.gallery, arguments.dim)
        for name, values in problem.items():
            np.save(Path(data, f"{name}.npy"), values)
        del problem
        print(
            f"{arguments.queries} x {arguments.gallery}, D = {arguments.dim}, "
            f"{arguments.metric}, threads = {arguments.threads}, rounds = {arguments.rounds}"
        )
        show(measure(arguments, data))


if __name__ == "__main__":
    main()
