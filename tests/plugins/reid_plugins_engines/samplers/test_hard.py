"""Batches of identities that the network confuses, and a training that does not notice the look."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from reid_plugins_engines.samplers import HardIdentitySampler, hard
from torch import Tensor

from reidcore import hookimpl
from reidcore.data import SampleTable, view_of
from reidcore.engine import Engine, Interrupted
from reidcore.errors import ConfigError
from reidcore.testing import fake_dataset, tiny_run


def table_of(counts: list[int]) -> SampleTable:
    pids = np.repeat(np.arange(len(counts)) * 5 + 2, counts)
    np.random.default_rng(1).shuffle(pids)
    return SampleTable.of([(f"{n}.jpg", pid, n % 3) for n, pid in enumerate(pids.tolist())])


def look(sampler: HardIdentitySampler, features: Tensor, epoch: int = 0) -> SampleTable:
    """Let a sampler look at a network that gives each image its features; return the images."""
    engine: Any = SimpleNamespace(epoch=epoch, plan=SimpleNamespace(dist_metric="euclidean"))
    taken: list[SampleTable] = []

    def of(engine: Engine, table: SampleTable) -> tuple[Tensor, np.ndarray]:
        taken.append(table)
        rows = [int(Path(str(path)).stem) for path in table.paths]
        return features[rows], np.arange(len(rows))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hard, "_features", of)
        sampler.update(engine)
    return taken[0]


@st.composite
def problems(draw: st.DrawFn) -> tuple[SampleTable, int, int, bool]:
    """A table, P, K, and whether the network has looked."""
    counts = draw(st.lists(st.integers(1, 20), min_size=1, max_size=12))
    return (
        table_of(counts),
        draw(st.integers(1, len(counts))),
        draw(st.integers(1, 5)),
        draw(st.booleans()),
    )


@settings(max_examples=80, deadline=None)
@given(problems())
def test_each_identity_has_a_batch_of_p_identities_with_k_images(
    problem: tuple[SampleTable, int, int, bool],
) -> None:
    table, per_batch, size, has_looked = problem
    sampler = HardIdentitySampler(table, per_batch * size, 3, size)
    if has_looked:
        look(sampler, torch.randn(len(table), 4, generator=torch.Generator().manual_seed(0)))
    order = sampler.order(0)
    assert order.dtype == np.int64
    assert len(order) == len(sampler)
    batches = table.pids[order].reshape(-1, per_batch, size)
    assert (batches == batches[:, :, :1]).all()
    assert sorted(batches[:, 0, 0].tolist()) == np.unique(table.pids).tolist()
    assert all(len(set(batch)) == per_batch for batch in batches[:, :, 0].tolist())
    groups = order.reshape(-1, size)
    counts = dict(zip(*np.unique(table.pids, return_counts=True), strict=True))
    assert all(len(set(group)) == min(size, counts[table.pids[group[0]]]) for group in groups)
    assert np.array_equal(sampler.order(0), order)


@settings(max_examples=30, deadline=None)
@given(problems())
def test_all_images_come_round(problem: tuple[SampleTable, int, int, bool]) -> None:
    table, per_batch, size, _ = problem
    sampler = HardIdentitySampler(table, per_batch * size, 3, size)
    most = int(np.unique(table.pids, return_counts=True)[1].max())
    shown = {row for epoch in range(-(-most // size)) for row in sampler.order(epoch).tolist()}
    assert shown == set(range(len(table)))


@pytest.mark.parametrize("centers", ["image", "mean"])
def test_the_others_of_a_batch_are_the_nearest(centers: Any) -> None:
    """Features lie on a line at twice the identity's number: the nearest are its neighbours."""
    table = table_of([3, 5, 2, 4, 7, 1, 3])
    line = torch.from_numpy(table.pids).double()[:, None] * 2
    sampler = HardIdentitySampler(table, 3 * 2, 0, 2, centers)
    look(sampler, torch.where(line > 20, line + 1, line).float())
    names = np.unique(table.pids).tolist()
    for batch in table.pids[sampler.order(0)].reshape(-1, 3, 2)[:, :, 0].tolist():
        place = names.index(batch[0])
        gaps = sorted((abs(2 * (each - batch[0])), each) for each in names if each != batch[0])
        if 0 < place < len(names) - 1:
            assert set(batch[1:]) == {names[place - 1], names[place + 1]}, gaps
    again = HardIdentitySampler(table, 3 * 2, 0, 2, centers)
    assert not np.array_equal(again.order(0), sampler.order(0))


def test_a_look_is_at_one_epoch() -> None:
    table = table_of([3] * 9)
    features = torch.randn(len(table), 4, generator=torch.Generator().manual_seed(0))
    sampler, blind = (HardIdentitySampler(table, 3 * 2, 0, 2) for _ in range(2))
    look(sampler, features, epoch=1)
    assert not np.array_equal(sampler.order(1), blind.order(1))
    assert np.array_equal(sampler.order(2), blind.order(2))


def test_an_identity_near_to_several_shows_its_next_images() -> None:
    table = table_of([6] * 3)
    sampler = HardIdentitySampler(table, 3 * 2, 0, 2)  # all three in each of three batches
    assert sorted(sampler.order(0).tolist()) == list(range(18))


def test_one_image_stands_for_an_identity_another_each_epoch() -> None:
    table = table_of([9] * 4)
    features = torch.randn(len(table), 4, generator=torch.Generator().manual_seed(0))
    taken = []
    for epoch in range(4):
        taken.append(look(HardIdentitySampler(table, 4, 7, 2), features, epoch))
        assert sorted(taken[-1].pids.tolist()) == [2, 7, 12, 17]
    assert len({str(path) for each in taken for path in each.paths}) > 8


def test_an_identity_that_cannot_be_read_stands_amid_all() -> None:
    found = hard._means(torch.tensor([[0.0], [2.0], [4.0]]), np.array([0, 0, 2]), 3)
    assert found.tolist() == [[1.0], [2.0], [4.0]]


def test_nearest_in_blocks_is_nearest_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    points = torch.randn(23, 3, generator=torch.Generator().manual_seed(2))
    gaps = torch.cdist(points, points).fill_diagonal_(torch.inf)
    monkeypatch.setattr(hard, "_ROWS", 5)
    assert np.array_equal(hard.nearest(points, 4, "euclidean"), gaps.argsort(1)[:, :4].numpy())


def test_batches_that_cannot_be_are_refused() -> None:
    with pytest.raises(ConfigError, match="cannot hold 4"):
        HardIdentitySampler(table_of([3, 3]), 6, 0, 4)
    with pytest.raises(ConfigError, match="there are 2"):
        HardIdentitySampler(table_of([3, 3]), 12, 0, 4)


# -- in a run --------------------------------------------------------------------------------------

HARD = [
    "sampler.train_sampler=HardIdentitySampler", "sampler.num_instances=2", "train.batch_size=8",
    "loss.terms={triplet: 1.0, softmax: 1.0}", "train.lr=0.01", "train.max_epoch=2",
]  # fmt: skip


class Watch:
    """Keeps what each step was shown, asks for the run's end after one, and looks at the looks."""

    def __init__(self, stop_after: int = 0) -> None:
        self.batches: list[list[str]] = []
        self.stop_after = stop_after

    @hookimpl
    def reid_compute_losses(self, batch: dict[str, Any]) -> None:
        self.batches.append([str(path) for path in batch["impath"]])

    @hookimpl
    def reid_step_end(self, engine: Engine) -> None:
        if len(self.batches) == self.stop_after:
            engine.interruption.ask()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    fake_dataset(tmp_path / "data/tiny")
    return tmp_path / "data"


@pytest.mark.parametrize("stop_after", [4, 6])
def test_a_resumed_run_is_as_one_that_never_stopped(
    tmp_path: Path, root: Path, stop_after: int
) -> None:
    """Of six batches an epoch: within one, and between two."""
    whole, parts, rest = Watch(), Watch(stop_after), Watch()
    run = tiny_run(whole, save_dir=tmp_path / "whole", root=root, overrides=HARD)
    with pytest.raises(Interrupted):
        tiny_run(parts, save_dir=tmp_path / "parts", root=root, overrides=HARD)
    (stopped,) = (tmp_path / "parts").glob("*interrupted*")
    resume = [*HARD, f"model.resume={stopped}"]
    resumed = tiny_run(rest, save_dir=tmp_path / "parts", root=root, overrides=resume)
    assert parts.batches + rest.batches == whole.batches
    for name, value in run.engine.model.state_dict().items():
        assert torch.equal(value, resumed.engine.model.state_dict()[name]), name


def test_the_look_leaves_the_training_alone(tmp_path: Path, root: Path) -> None:
    engine = tiny_run(save_dir=tmp_path / "log", root=root, overrides=HARD).engine
    sampler = HardIdentitySampler(engine.data_facts.train_table, 8, 0, 2)  # type: ignore[arg-type]
    engine.model.train()
    frozen = engine.model.norm
    assert isinstance(frozen, torch.nn.Module)
    frozen.eval()
    state = {name: value.clone() for name, value in engine.model.state_dict().items()}
    drawn = torch.get_rng_state()
    sampler.update(engine)
    assert torch.equal(torch.get_rng_state(), drawn)
    assert engine.model.training
    assert not frozen.training
    assert engine.model.drop.training  # type: ignore[union-attr]
    for name, value in engine.model.state_dict().items():
        assert torch.equal(value, state[name]), name


def test_the_look_is_as_a_test_sees_images(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = tiny_run(save_dir=tmp_path / "log", root=root, overrides=HARD).engine
    table = engine.data_facts.train_table
    assert table is not None
    found: list[Tensor] = []

    def kept(centers: Tensor, count: int, metric: str) -> np.ndarray:
        found.append(centers)
        return hard_nearest(centers, count, metric)

    hard_nearest = hard.nearest
    monkeypatch.setattr(hard, "nearest", kept)
    HardIdentitySampler(table, 8, 0, 2, "mean").update(engine)
    engine.set_model_mode("eval")
    expected = torch.stack(list(means_of(engine, table)))
    torch.testing.assert_close(found[0], expected)


def means_of(engine: Engine, table: SampleTable) -> Iterator[Tensor]:
    """The mean feature of each identity, image by image."""
    loader: Any = next(iter(engine.test_loader.values()))["query"]
    dataset = loader.dataset
    images = view_of(dataset, "train", dataset.transform, data=table)
    for pid in np.unique(table.pids):
        features = []
        for row in np.flatnonzero(table.pids == pid):
            features.append(engine.extract_features(images[row]["img"][None])[0].detach())
        yield torch.stack(features).mean(dim=0)
