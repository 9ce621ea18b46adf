"""A run whose batches have no pairs for the triplet loss is refused before it starts."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from reid_plugins_engines.losses import TripletLoss
from reid_plugins_engines.pairs import check_pairs

from reidcore import hookimpl
from reidcore.data import SampleTable
from reidcore.errors import UserError
from reidcore.registry import Registrar
from reidcore.testing import TinyRun, fake_dataset, tiny_run

MESSAGE = "no second one of their identity"


class Alone:
    """A sampler of one batch an epoch, of 6 images, all of other identities unless it is told.

    Args:
        paired: how many images of a batch of 6 have a second one of their identity.
    """

    def __init__(self, paired: int = 0) -> None:
        self.paired = paired

    @hookimpl
    def reid_register_samplers(self, registry: Registrar) -> None:
        registry.add("alone", self.make)

    def make(self, table: SampleTable, batch_size: int, seed: int) -> Alone:
        self.table = table
        return self

    def order(self, epoch: int) -> np.ndarray:
        of_each = [np.flatnonzero(self.table.pids == pid) for pid in np.unique(self.table.pids)]
        rows = [rows[0] for rows in of_each[: 6 - self.paired // 2]]
        rows += [rows[1] for rows in of_each[: self.paired // 2]]
        return np.array(rows)


@pytest.fixture
def learn(tmp_path: Path) -> Callable[..., TinyRun]:
    """Return a function that trains in the tiny world by the triplet loss, 6 images a batch."""

    def run(*plugins: object, sampler: str = "alone", loss: str = "triplet") -> TinyRun:
        fake_dataset(tmp_path / "data" / "tiny")
        names = [f"sampler.train_sampler={sampler}", f"loss.name={loss}", "train.batch_size=6"]
        names.append("sampler.num_instances=2")
        return tiny_run(
            *plugins, save_dir=tmp_path / "log", root=tmp_path / "data", overrides=names
        )

    return run


def test_one_image_of_each_identity_is_refused_with_the_fix(
    learn: Callable[..., TinyRun], tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="1 of 1 batch of an epoch has one image of each") as error:
        learn(Alone())
    assert "sampler.train_sampler=RandomIdentitySampler" in error.value.hint
    assert not list((tmp_path / "log").glob("*.pth.tar*"))


def test_other_losses_need_no_pairs(learn: Callable[..., TinyRun]) -> None:
    assert learn(Alone(), loss="softmax").result["training"]


def test_few_pairs_are_told_and_enough_are_not(
    learn: Callable[..., TinyRun], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        learn(Alone(paired=4))
    assert not [each for each in caplog.messages if MESSAGE in each]
    with caplog.at_level(logging.WARNING):
        learn(Alone(paired=2))
    assert ["67 %" in each for each in caplog.messages if MESSAGE in each] == [True]


def test_identity_batches_are_silent(
    learn: Callable[..., TinyRun], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        learn(sampler="RandomIdentitySampler")
    assert not [each for each in caplog.messages if MESSAGE in each]


@pytest.fixture
def two_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: 2)
    monkeypatch.setattr(torch.distributed, "get_rank", lambda: 0)


def engine_of(batches: list[list[int]], **options: bool) -> Any:
    """Return an engine that shows batches of these identities to a triplet loss."""
    flat = np.array([pid for batch in batches for pid in batch])
    table = SampleTable.of([(f"{row}.jpg", int(pid), 0, 0) for row, pid in enumerate(flat)])
    ends = np.cumsum([len(batch) for batch in batches])[:-1]
    loader = SimpleNamespace(batch_rows=lambda: np.split(np.arange(len(flat)), ends))
    facts = SimpleNamespace(train_table=table, data_type="image")
    terms = {"triplet": (1.0, TripletLoss(**options))}
    return SimpleNamespace(terms=terms, train_loader=loader, data_facts=facts)


def test_each_process_needs_pairs_in_its_share(two_processes: None) -> None:
    batches = [[1, 2, 1, 2]]
    check_pairs(engine_of(batches))
    with pytest.raises(UserError, match="2 of 2 batches of an epoch have one image of each"):
        check_pairs(engine_of(batches, across_ranks=False))


def test_each_process_needs_other_identities_in_its_share(two_processes: None) -> None:
    batches = [[1, 1, 1, 1, 2, 2, 2, 2], [1, 1, 2, 2, 3, 3, 4, 4]]
    check_pairs(engine_of(batches))
    check_pairs(engine_of(batches[1:], across_ranks=False))
    with pytest.raises(UserError) as error:
        check_pairs(engine_of(batches, across_ranks=False))
    assert "a batch of 8 images, 2 identities of 4 images each" in error.value.what
    assert "process 0 of 2 gets one identity alone" in error.value.what
    assert "loss.triplet.across_ranks=true" in error.value.hint
    assert "start 1 process" in error.value.hint


def test_a_batch_of_one_identity_is_refused_on_one_process_too() -> None:
    with pytest.raises(UserError, match=r"a batch of 4 images is of one identity.*num_instances"):
        check_pairs(engine_of([[1, 1, 1, 1]]))


def test_a_loss_of_no_weight_needs_nothing() -> None:
    engine = engine_of([[1, 1, 1, 1]])
    engine.terms = {name: (0.0, criterion) for name, (_, criterion) in engine.terms.items()}
    check_pairs(engine)
