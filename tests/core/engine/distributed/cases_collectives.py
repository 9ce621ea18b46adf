"""What processes tell one another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from reidcore.data.loader.batch_sampler import rank_and_world
from reidcore.engine import (
    NonFiniteLossError,
    broadcast_object,
    gather_differentiably,
    gather_objects,
    gather_rows,
    reduce_mean,
)
from reidcore.engine.finite import FiniteCheck
from reidcore.engine.process_group import all_true, any_true, average_in_place, share_in_place

DTYPES = [torch.float32, torch.float64, torch.bfloat16, torch.float16, torch.int64, torch.bool]


def case_objects(folder: Path) -> dict[str, Any]:
    rank, _ = rank_and_world()
    return {
        "broadcast": broadcast_object({"from": rank}),
        "broadcast_from_1": broadcast_object(rank, from_rank=1),
        "gathered": gather_objects(f"rank {rank}"),
        "means": reduce_mean({"loss": 1.0 + rank} | ({"acc": 50.0} if rank else {"lr": 0.5})),
        "any_true": [float(any_true(torch.tensor(flag))) for flag in (True, False, rank == 0)],
        "all_true": [all_true(torch.tensor(flag)) for flag in (True, False, rank == 0)],
    }


def case_rows(folder: Path) -> dict[str, Any]:
    """Gather three rows of the first process, one of the second, and none of either."""
    rank, _ = rank_and_world()
    many = {}
    for dtype in DTYPES:
        rows = (torch.arange(6).view(3, 2) + 10 * rank).to(dtype)
        many[str(dtype)] = gather_rows(rows[: 1 if rank else 3])
    return {
        "many": many,
        "flat": gather_rows(torch.full((2 - rank,), float(rank))),
        "deep": gather_rows(torch.full((1, 2, 3), float(rank))),
        "none_of_one": gather_rows(torch.ones(rank, 4)),
        "none": gather_rows(torch.ones(0, 4)),
        "has_gradient": gather_rows(torch.ones(1, 1, requires_grad=True)).requires_grad,
    }


def case_gradients(folder: Path) -> dict[str, Any]:
    """Differentiate losses of everybody's rows, one the same everywhere, one of each process."""
    rank, world = rank_and_world()
    rows = (torch.arange(4.0).view(2, 2) + 4 * rank)[: 1 if rank else 2].requires_grad_()
    everything = gather_differentiably(rows)
    (same,) = torch.autograd.grad((everything**2).sum(), rows, retain_graph=True)
    (own,) = torch.autograd.grad((everything * (rank + 1)).sum(), rows)
    half = torch.ones(1, 2, dtype=torch.bfloat16, requires_grad=True)
    (of_half,) = torch.autograd.grad(gather_differentiably(half).float().sum(), half)
    return {"everything": everything.detach(), "same": same / world, "own": own, "half": of_half}


def case_in_place(folder: Path) -> dict[str, Any]:
    """Average and share tensors of several shapes, dtypes and layouts at once."""
    rank, _ = rank_and_world()
    averaged = [
        torch.full((2, 3), float(rank)),
        torch.full((3, 2), 2.0 * rank).t(),
        torch.full((), 4.0 * rank, dtype=torch.float64),
    ]
    shared = [
        torch.full((2,), float(rank)),
        torch.full((), rank, dtype=torch.int64),
        torch.full((3,), bool(rank)),
        torch.nn.Parameter(torch.full((2, 2), float(rank))),
    ]
    average_in_place(averaged)
    share_in_place(shared)
    return {"averaged": averaged, "shared": [each.detach() for each in shared]}


def case_finite(folder: Path) -> str:
    """Look late at a loss that is not finite in the second process alone."""
    rank, _ = rank_and_world()
    check = FiniteCheck(is_late=True)
    check({"softmax": torch.tensor(torch.nan if rank else 1.0)})
    try:
        check.settle()
    except NonFiniteLossError as error:
        return str(error)
    return "finite"
