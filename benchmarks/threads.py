"""Seconds of a training step by how torch's idle threads wait, alone and beside other programs.

    python benchmarks/threads.py
    python benchmarks/threads.py --model osnet_x1_0 --steps 5 --rounds 3

Each measurement is a process of its own, since OpenMP reads ``OMP_WAIT_POLICY`` once: it trains the
model on noise and prints the slowest and the median of its steps. Beside it run as many programs as
``--beside`` names for a row: ``busy`` (a loop of Python, one core each) or ``train`` (a second
training with the same policy). The policies take turns within a round; the first line of a row is
the policy that the commands of reidcore set where the user set none, and the ratios are against it:
above 1, the other policy is slower.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import NamedTuple

POLICIES = {
    "spin briefly": {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "1000"},
    "passive": {"OMP_WAIT_POLICY": "PASSIVE"},
    "unset": {},
    "one thread": {"OMP_NUM_THREADS": "1"},
}
BESIDE = {"nothing": (), "1 busy": ("busy",), "2 busy": ("busy",) * 2, "1 train": ("train",)}


class Steps(NamedTuple):
    """Seconds of the steps of one process."""

    median: float
    slowest: float


def train(model: str, steps: int, size: tuple[int, int], batch: int) -> list[float]:
    """Train on noise and return each step's seconds, without the first two."""
    import torch

    from reidcore.models import build_model

    torch.manual_seed(0)
    network = build_model(model, num_classes=10, pretrained=False).train()
    optimizer = torch.optim.Adam(network.parameters())
    images, pids = torch.rand(batch, 3, *size), torch.randint(10, (batch,))
    seconds = []
    for _ in range(steps + 2):
        start = time.perf_counter()
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(network(images), pids).backward()
        optimizer.step()
        seconds.append(time.perf_counter() - start)
    return seconds[2:]


def spin() -> None:
    """Keep one core busy until killed."""
    while True:
        pass


@contextlib.contextmanager
def programs(kinds: tuple[str, ...], environment: dict[str, str], own: list[str]) -> Iterator[None]:
    """Run other programs beside the body."""
    running = [
        subprocess.Popen([*own, "--child", kind], env=environment, stdout=subprocess.DEVNULL)
        for kind in kinds
    ]
    time.sleep(8 if "train" in kinds else 0.5)  # until a second training has imported torch
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def measure(kinds: tuple[str, ...], policy: dict[str, str], own: list[str]) -> Steps:
    """Train in a process of its own beside others."""
    unset = {k: v for k, v in os.environ.items() if not k.startswith(("OMP_", "KMP_", "GOMP_"))}
    environment = {**unset, **policy}
    with programs(kinds, environment, own):
        done = subprocess.run(
            [*own, "--child", "measured"],
            env=environment,
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        )
    seconds = json.loads(done.stdout)
    return Steps(statistics.median(seconds), max(seconds))


def child(arguments: argparse.Namespace) -> None:
    """Be one of the processes."""
    size = (arguments.height, arguments.width)
    if arguments.child == "busy":
        spin()
    while arguments.child == "train":
        train(arguments.model, 1000, size, arguments.batch)
    print(json.dumps(train(arguments.model, arguments.steps, size, arguments.batch)))


def main() -> None:
    """Print a table of policies by what runs beside."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="osnet_x0_25")
    parser.add_argument("--height", type=int, default=128)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--beside", nargs="*", choices=list(BESIDE), default=list(BESIDE))
    parser.add_argument("--child", choices=("measured", "busy", "train"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        child(arguments)
        return
    own = [sys.executable, *sys.argv]
    print(f"{'beside':10}{'policy':14}{'median s':>10}{'slowest s':>11}{'ratio':>8}")
    for beside in arguments.beside:
        seen: dict[str, list[Steps]] = {policy: [] for policy in POLICIES}
        for _ in range(arguments.rounds):
            for policy, variables in POLICIES.items():
                seen[policy].append(measure(BESIDE[beside], variables, own))
        base = statistics.median(steps.median for steps in seen["spin briefly"])
        for policy, steps in seen.items():
            median = statistics.median(step.median for step in steps)
            slowest = max(step.slowest for step in steps)
            print(f"{beside:10}{policy:14}{median:10.3f}{slowest:11.3f}{median / base:8.2f}")


if __name__ == "__main__":
    main()
