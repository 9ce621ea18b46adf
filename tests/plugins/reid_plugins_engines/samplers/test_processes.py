"""Two processes show together, batch by batch, what one shows alone."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from reid_plugins_engines.samplers import HardIdentitySampler, hard

from reidcore.data.loader.batch_sampler import EpochBatches
from reidcore.data.loader.sampling import make_order
from reidcore.data.table import SampleTable
from reidcore.engine.agreement import on_main_process
from reidcore.registry.component import choose

OPTIONS = {
    "RandomSampler": {},
    "RandomIdentitySampler": {"num_instances": 4},
    "RandomDomainSampler": {"num_cams": 4},
    "RandomDatasetSampler": {"num_datasets": 2},
    "CameraIdentitySampler": {"num_instances": 4},
    "BalancedDomainSampler": {"num_instances": 4},
    "HardIdentitySampler": {"num_instances": 4},
}
BATCH, EPOCHS = 16, 3


def _table() -> SampleTable:
    rng = np.random.default_rng(0)
    pids = rng.integers(0, 24, 400)
    rows = zip(pids.tolist(), rng.integers(0, 4, 400).tolist(), strict=True)
    return SampleTable.of([(f"{n}.jpg", pid, cam, pid % 2) for n, (pid, cam) in enumerate(rows)])


def _seen() -> dict[str, np.ndarray]:
    """What this process sees of each sampler: (epochs * batches, images)."""
    table, seen = _table(), {}
    for name, options in OPTIONS.items():
        source = make_order(choose("samplers", name, options), table, BATCH, 7)
        batches = EpochBatches(source, len(table), BATCH, drop_last=True, sharded=True)
        shown = []
        for epoch in range(EPOCHS):
            batches.epoch = epoch
            shown += [keys.rows for keys in batches]
        seen[name] = np.stack(shown)
    return seen


def _looked(rank: int) -> np.ndarray:
    """What this process sees once its network has been looked at: each has another one."""
    table = _table()
    sampler = HardIdentitySampler(table, BATCH, 7, 4)
    batches = EpochBatches(sampler, len(table), BATCH, drop_last=True, sharded=True)
    features = torch.randn(24, 8, generator=torch.Generator().manual_seed(rank))
    engine = SimpleNamespace(epoch=0, plan=SimpleNamespace(dist_metric="euclidean"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hard, "_features", lambda engine, taken: (features, np.arange(24)))
        batches.update(engine, on_main_process)
    return np.stack([keys.rows for keys in batches])


def _process(rank: int, folder: Path) -> None:
    dist.init_process_group("gloo", f"file://{folder}/meeting", rank=rank, world_size=2)
    np.savez(folder / f"{rank}.npz", looked=_looked(rank), **_seen())
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, np.ndarray]]:
    folder = tmp_path_factory.mktemp("processes")
    mp.start_processes(_process, args=(folder,), nprocs=2, start_method="fork")
    return [dict(np.load(folder / f"{rank}.npz")) for rank in range(2)]


def test_the_look_of_the_first_process_orders_for_both(both: list[dict[str, np.ndarray]]) -> None:
    together = np.concatenate([seen["looked"] for seen in both], axis=1)
    assert (together == _looked(0)).all()
    assert not (together == _looked(1)).all()


@pytest.mark.parametrize("name", OPTIONS)
def test_two_processes_show_the_same_global_batches(
    name: str, both: list[dict[str, np.ndarray]]
) -> None:
    together = np.concatenate([seen[name] for seen in both], axis=1)
    assert together.shape[1] == BATCH
    assert (together == _seen()[name]).all()
