"""Two processes that share a batch cost, and teach, what one process does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import Tensor

from reidcore.engine import make_terms, weighted_terms
from reidcore.models import Outputs
from reidcore.registry import choose

# The second process has one identity alone: without the first one's images it has no pairs.
PIDS = torch.tensor([0, 1, 0, 2, 2, 2])
LOSSES: dict[str, dict[str, Any]] = {
    "triplet": {"soft": True},
    "weighted_triplet": {},
    "circle": {},
    "cosface_pairs": {},
    "contrastive": {},
    "multi_similarity": {},
    "supcon": {},
    "instance": {},
}
KINDS = ("one", "branches")

Found = dict[str, tuple[Tensor, Tensor]]


def _measured(rows: slice, world: int) -> Found:
    """Return the value of each loss, and its slope by the features of some rows."""
    draw = torch.Generator().manual_seed(0)
    whole = torch.randn(len(PIDS), 4, generator=draw)
    found = {}
    for name, options in LOSSES.items():
        for kind in KINDS:
            features = whole[rows].clone().requires_grad_()
            weights = {"branch_weights": [0.5, 2.0]} if kind == "branches" else {}
            given = (features, features.square()) if weights else features
            chosen = choose("losses", name, options | weights)
            terms = make_terms({name: (1.0, chosen)}, num_classes=3)
            values = weighted_terms(
                terms,
                Outputs(None, given),
                {"pid": PIDS[rows]},
                lambda criterion, taken, pids: criterion(taken, pids),
            )
            values[name].backward()
            assert features.grad is not None
            # An engine averages over processes.
            found[f"{name} {kind}"] = (values[name].detach(), features.grad / world)
    return found


def _process(rank: int, folder: Path) -> None:
    dist.init_process_group("gloo", f"file://{folder}/meeting", rank=rank, world_size=2)
    torch.save(_measured(slice(3 * rank, 3 * rank + 3), 2), folder / f"{rank}.pt")
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> list[Found]:
    folder = tmp_path_factory.mktemp("processes")
    mp.start_processes(_process, args=(folder,), nprocs=2, start_method="fork")
    return [torch.load(folder / f"{rank}.pt") for rank in range(2)]


@pytest.fixture(scope="module")
def alone() -> Found:
    return _measured(slice(0, 6), 1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", LOSSES)
def test_value_and_slope_are_those_of_one_process(
    name: str, kind: str, both: list[Found], alone: Found
) -> None:
    value, slope = alone[f"{name} {kind}"]
    shares = [each[f"{name} {kind}"] for each in both]
    for other, _ in shares:
        torch.testing.assert_close(other, value)
    torch.testing.assert_close(torch.cat([share for _, share in shares]), slope)
