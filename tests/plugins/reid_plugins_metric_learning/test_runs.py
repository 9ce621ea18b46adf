"""Runs with PML's losses: from configuration to record, resumed, and in several processes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from reid_plugins_metric_learning.criterion import Memory, MetricLoss
from reid_plugins_metric_learning.names import factory_of
from torch import Tensor, nn
from torch.multiprocessing.spawn import start_processes

from reidcore.engine.loss_terms import LossTerms, modules_of, weighted_terms
from reidcore.models import Outputs
from reidcore.testing import TinyRun, fake_dataset, tiny_run

LOSSES = {
    "memory": [
        "loss.terms={softmax: 1.0, pml/TripletMarginLoss: 0.5}",
        "loss={pml/TripletMarginLoss: {memory_size: 20, margin: 0.3, miner: {TripletMarginMiner: "
        "{type_of_triplets: semihard, distance: {LpDistance: {power: 2}}}}}}",
    ],
    "proxies": ["loss.terms={pml/ProxyAnchorLoss: 1.0, pml/DynamicSoftMarginLoss: 0.1}"],
}


def run(folder: Path, root: Path, *keys: str) -> TinyRun:
    return tiny_run(
        save_dir=folder, root=root, overrides=["train.max_epoch=2", "train.lr=0.01", *keys]
    )


def learnt(run: TinyRun) -> dict[str, Tensor]:
    """The state of the network and of the losses."""
    state = dict(run.engine.model.state_dict())
    for name, (_, criterion) in run.engine.terms.items():
        if isinstance(criterion, nn.Module):
            state |= {f"{name}.{key}": value for key, value in criterion.state_dict().items()}
    return state


@pytest.mark.parametrize("kind", LOSSES)
def test_a_resumed_run_is_as_one_that_never_stopped(tmp_path: Path, kind: str) -> None:
    root = tmp_path / "data"
    fake_dataset(root / "tiny")
    whole = learnt(run(tmp_path / "whole", root, *LOSSES[kind]))
    run(tmp_path / "parts", root, *LOSSES[kind], "train.max_epoch=1")
    first = tmp_path / "parts/model.pth.tar-1"
    parts = learnt(run(tmp_path / "parts", root, *LOSSES[kind], f"model.resume={first}"))
    assert whole.keys() == parts.keys()
    for name, value in whole.items():
        same = (
            torch.equal(value, parts[name]) if isinstance(value, Tensor) else value == parts[name]
        )
        assert same, name


def test_what_a_loss_learns_is_trained_by_the_runs_optimizer(tmp_path: Path) -> None:
    terms = "loss.terms={pml/SubCenterArcFaceLoss: 1.0}"
    engine = tiny_run(save_dir=tmp_path, overrides=[terms, "train.lr=0.01"]).engine
    criterion = engine.terms["pml/SubCenterArcFaceLoss"][1]
    assert isinstance(criterion, MetricLoss)
    assert criterion.loss.W.shape == (8, 6 * 3)
    assert engine.optimizer is not None
    held = [each for group in engine.optimizer.param_groups for each in group["params"]]
    assert any(each is criterion.loss.W for each in held)
    moved = engine.optimizer.state[criterion.loss.W]
    assert moved["exp_avg"].abs().sum() > 0
    assert engine.loss_optimizers == {}


# -- several processes -----------------------------------------------------------------------------

STEPS = 3


def trained(rank: int, world: int) -> dict[str, Tensor]:
    """Three steps on the same global batches, a share of each in this process."""
    torch.manual_seed(0)
    network = nn.Linear(12, 16)
    terms: LossTerms = {
        "memory": (1.0, factory_of("ContrastiveLoss")(4, 16, memory_size=20)),
        "proxies": (0.5, factory_of("ProxyAnchorLoss")(4, 16)),
        "margin": (1.0, factory_of("DynamicSoftMarginLoss")(4, 16)),
    }
    modules = nn.ModuleList([network, *modules_of(terms)])
    optimizer = torch.optim.SGD(modules.parameters(), lr=0.1)
    pids = torch.arange(8) // 2
    for step in range(STEPS):
        batch = torch.randn(8, 12, generator=torch.Generator().manual_seed(step))
        share = slice(rank * 8 // world, (rank + 1) * 8 // world)
        outputs = Outputs([], network(batch[share]))
        losses = weighted_terms(
            terms,
            outputs,
            {"pid": pids[share]},
            lambda criterion, given, ids: criterion(given, ids),
        )
        optimizer.zero_grad()
        torch.autograd.backward(torch.stack(list(losses.values())).sum())
        for each in modules.parameters():
            assert each.grad is not None
            if world > 1:
                dist.all_reduce(each.grad)
                each.grad /= world
        optimizer.step()
    (memory,) = (each for each in modules.modules() if isinstance(each, Memory))
    assert memory.queue_idx == STEPS * 8 % 20
    return {name: value for name, value in modules.state_dict().items() if "_extra" not in name}


def _process(rank: int, folder: Path) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", f"file://{folder}/meeting", rank=rank, world_size=2)
    torch.save(trained(rank, 2), folder / f"{rank}.pt")
    dist.destroy_process_group()


def test_two_processes_are_as_one(tmp_path: Path) -> None:
    start_processes(_process, args=(tmp_path,), nprocs=2, start_method="fork")  # type: ignore[no-untyped-call]
    alone = trained(0, 1)
    for rank in range(2):
        found = torch.load(tmp_path / f"{rank}.pt")
        assert found.keys() == alone.keys()
        for name, value in alone.items():
            torch.testing.assert_close(found[name], value, msg=name)
