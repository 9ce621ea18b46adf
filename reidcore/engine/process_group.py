"""Several processes as one run: the group they form, and what they tell one another.

``torchrun`` starts the processes and tells each by environment variables which one it is. All
functions here are the identity on one process, and each must be called by all processes alike.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from reidcore.data.loader.batch_sampler import rank_and_world
from reidcore.errors import UserError, counted, quoted

Value = TypeVar("Value")

TIMEOUT = timedelta(minutes=30)
"""How long a process waits for the others before it gives up: a test or a download takes time."""


# -- start and end ---------------------------------------------------------------------------------


@contextmanager
def join_processes(timeout: timedelta = TIMEOUT) -> Iterator[None]:
    """Join the processes that a launcher started; nothing happens where it started only this one.

    With CUDA each process of a host uses the GPU of its number there (``LOCAL_RANK``): what is on
    GPUs travels by NCCL, everything else by gloo. A group that the program made itself is used as
    it is, and stays.

    Args:
        timeout: how long a process waits for the others.

    Raises:
        UserError: if the launcher's environment variables are incomplete, or the processes do not
            reach one another.
    """
    if launched_processes() <= 1 or dist.is_initialized():
        yield
        return
    _check_launch()
    has_cuda = torch.cuda.is_available()
    if has_cuda and (local_rank := _local_rank()) < torch.cuda.device_count():
        torch.cuda.set_device(local_rank)
    try:
        dist.init_process_group("cpu:gloo,cuda:nccl" if has_cuda else "gloo", timeout=timeout)
    except RuntimeError as error:
        raise UserError(
            f"the processes do not reach one another: {str(error).splitlines()[0]}",
            "Between hosts, give torchrun --local-addr, and set GLOO_SOCKET_IFNAME and "
            "NCCL_SOCKET_IFNAME to the network interface that they share.",
        ) from error
    try:
        yield
    finally:
        dist.destroy_process_group()
        gc.collect()  # exchanges that a cycle holds keep threads, which must not outlive Python


def launched_processes() -> int:
    """Return how many processes the launcher started, by its environment; 1 without a launcher.

    Raises:
        UserError: if ``WORLD_SIZE`` is no number of processes.
    """
    given = os.environ.get("WORLD_SIZE", "1")
    if not given.isdecimal() or not int(given):
        raise UserError(f"the environment says WORLD_SIZE={quoted(given)}", "Give 1 or more.")
    return int(given)


def check_group(device: torch.device) -> None:
    """Refuse processes that would not be one run.

    Args:
        device: where this process computes.

    Raises:
        UserError: if they were started together and formed no group, or their devices cannot
            work together.
    """
    launched, (_, world) = launched_processes(), rank_and_world()
    if launched > 1 and world == 1:
        raise UserError(
            f"{launched} processes were started together (WORLD_SIZE), and form no process group: "
            "each would train a model of its own",
            "Call torch.distributed.init_process_group() first, or run inside of "
            "reidcore.engine.join_processes().",
        )
    if world > 1 and device.type == "mps":
        raise UserError(
            f"{world} processes cannot train one model on MPS, which torch.distributed lacks",
            "Start one process, or use the CPU: use_gpu=false.",
        )
    gpus = torch.cuda.device_count()
    has_nccl = world > 1 and device.type == "cuda" and dist.get_backend() != dist.Backend.GLOO
    if has_nccl and _local_rank() >= gpus:
        raise UserError(
            f"process {_local_rank()} of this host has no GPU of its own: {counted(gpus, 'GPU')}",
            f"Start torchrun with --nproc-per-node={gpus}, or use the CPU: use_gpu=false.",
        )


# -- what processes tell one another ---------------------------------------------------------------


def broadcast_object(value: Value, from_rank: int = 0) -> Value:
    """Return one process's value on all of them; what the others give is passed over."""
    if rank_and_world()[1] == 1:
        return value
    box = [value]
    dist.broadcast_object_list(box, src=from_rank)
    return box[0]


def gather_objects(value: Value) -> list[Value]:
    """Return every process's value on all of them, in the order of their ranks."""
    _, world = rank_and_world()
    if world == 1:
        return [value]
    values: list[Any] = [None] * world
    dist.all_gather_object(values, value)
    return values


def reduce_mean(figures: Mapping[str, float]) -> dict[str, float]:
    """Return the mean of each figure over the processes that have it, in rank 0's order."""
    everywhere = gather_objects(dict(figures))
    names = dict.fromkeys(name for each in everywhere for name in each)
    found = {name: [each[name] for each in everywhere if name in each] for name in names}
    return {name: sum(values) / len(values) for name, values in found.items()}


def barrier() -> None:
    """Wait until all processes are here."""
    if rank_and_world()[1] > 1:
        dist.barrier()


def all_true(flag: Tensor) -> bool:
    """Say whether a boolean scalar is true in all processes; that waits for a GPU."""
    return not any_true(~flag)


def any_true(flag: Tensor) -> Tensor:
    """Return 1.0 where a boolean is true in any process, else 0.0, without waiting for a GPU."""
    found = flag.float()
    if rank_and_world()[1] > 1:
        moved = found.to(_carrier(found.device))
        dist.all_reduce(moved, dist.ReduceOp.MAX)
        found = moved.to(found.device)
    return found


def gather_rows(rows: Tensor) -> Tensor:
    """Return the rows of all processes, in the order of their ranks, without a gradient.

    See `gather_differentiably`.
    """
    return gather_differentiably(rows.detach())


def gather_differentiably(rows: Tensor) -> Tensor:
    """Return the rows of all processes, in the order of their ranks; gradients find their way back.

    A row's gradient is the *sum* of what the losses of all processes say about it. Where each of
    ``N`` processes computes the same loss of all rows, that is ``N`` times the loss's gradient, and
    the mean over processes that is taken of the weights' gradients makes it the gradient that one
    process would have found: no factor is needed.

    Args:
        rows: (n, ...); ``n`` may differ between processes, and be 0.

    Returns:
        (n of all processes, ...), where ``rows`` is.
    """
    if rank_and_world()[1] == 1:
        return rows
    gathered: Tensor = _Gather.apply(rows, _counts(len(rows)))
    return gathered


def average_in_place(tensors: Iterable[Tensor]) -> None:
    """Put the mean over all processes into each tensor; they must be alike in all of them."""
    _, world = rank_and_world()
    _exchange(tensors, lambda flat: dist.all_reduce(flat.div_(world)))


def share_in_place(tensors: Iterable[Tensor]) -> None:
    """Put rank 0's numbers into each tensor; they must be alike in all processes."""
    # As bytes, since gloo does not know all dtypes.
    _exchange(tensors, lambda flat: dist.broadcast(flat.view(torch.uint8), src=0))


# -- inside ----------------------------------------------------------------------------------------


class _Gather(torch.autograd.Function):
    """Rows of all processes; the way back sums over processes, and each takes its own rows."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, counts: list[int]) -> Tensor:
        ctx.counts = counts
        rest, most = rows.shape[1:], max(counts)
        if most == 0:
            return rows.clone()
        padded = torch.nn.functional.pad(rows, (0, 0) * len(rest) + (0, most - len(rows)))
        # Bytes, since not every backend knows every dtype: (most, ...) -> (bytes,)
        sent = padded.contiguous().flatten().view(torch.uint8).to(_carrier(rows.device))
        received = sent.new_empty(len(counts), len(sent))
        dist.all_gather(list(received), sent)
        # (processes, bytes) -> (processes, most, ...)
        by_process = received.to(rows.device).view(rows.dtype).view(len(counts), most, *rest)
        return torch.cat([part[:count] for part, count in zip(by_process, counts, strict=True)])

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        total = gradient.to(_carrier(gradient.device), torch.float32).contiguous()
        dist.all_reduce(total)
        rank, _ = rank_and_world()
        return torch.split(total, ctx.counts)[rank].to(gradient), None


def _counts(own: int) -> list[int]:
    _, world = rank_and_world()
    counts = torch.zeros(world, 1, dtype=torch.int64, device=_carrier(torch.device("cpu")))
    dist.all_gather(list(counts), counts.new_tensor([own]))
    return [int(count) for count in counts]


def _carrier(device: torch.device) -> torch.device:
    """Return the device that data is sent from: NCCL alone cannot reach the CPU's memory."""
    is_out_of_reach = device.type == "cpu" and dist.get_backend() == dist.Backend.NCCL
    return torch.device("cuda") if is_out_of_reach else device


@torch.no_grad()
def _exchange(tensors: Iterable[Tensor], exchange: Callable[[Tensor], object]) -> None:
    """Change tensors by what changes a flat one: those of one device and dtype travel at once."""
    if rank_and_world()[1] == 1:
        return
    kinds: dict[tuple[torch.device, torch.dtype], list[Tensor]] = {}
    for tensor in tensors:
        kinds.setdefault((tensor.device, tensor.dtype), []).append(tensor)
    for (device, _), alike in kinds.items():
        flat = torch.cat([tensor.flatten() for tensor in alike]).to(_carrier(device))
        exchange(flat)
        parts = torch.split(flat, [tensor.numel() for tensor in alike])
        for tensor, part in zip(alike, parts, strict=True):
            tensor.copy_(part.view_as(tensor))


def _check_launch() -> None:
    wanted = ("RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
    if missing := [name for name in wanted if name not in os.environ]:
        raise UserError(
            f"the environment says WORLD_SIZE={launched_processes()}, and has no "
            f"{' and no '.join(missing)}",
            "Start the processes with torchrun, or unset WORLD_SIZE for one process.",
        )


def _local_rank() -> int:
    return int(os.environ.get("LOCAL_RANK", "0"))
