"""The balanced samplers by their names, options and mistakes, beside Torchreid's records."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reid_plugins_engines.samplers import (
    RandomDatasetSampler,
    RandomDomainSampler,
    RandomIdentitySampler,
)

from reidcore.data import build_train_sampler
from reidcore.data.loader.batch_sampler import EpochBatches
from reidcore.data.table import SampleTable
from reidcore.errors import ConfigError

RECORDS = Path(__file__).parents[3] / "fixtures" / "samplers"

# name of the record -> sampler, its options, the batch size, the column, labels in a batch
CASES: dict[str, tuple[str, dict[str, int], int, str, int]] = {
    "identity_bs32_K4": ("RandomIdentitySampler", {"num_instances": 4}, 32, "pids", 8),
    "identity_bs32_K1": ("RandomIdentitySampler", {"num_instances": 1}, 32, "pids", 32),
    "domain_bs24_all6": ("RandomDomainSampler", {"num_cams": 0}, 24, "camids", 6),
    "domain_bs24_n3": ("RandomDomainSampler", {"num_cams": 3}, 24, "camids", 3),
    "domain_bs96_n6_small_domain": ("RandomDomainSampler", {"num_cams": 6}, 150, "camids", 6),
    "dataset_bs30_all3": ("RandomDatasetSampler", {"num_datasets": 0}, 30, "dsetids", 3),
    "dataset_bs30_n2": ("RandomDatasetSampler", {"num_datasets": 2}, 30, "dsetids", 2),
    "dataset_bs30_n1_default": ("RandomDatasetSampler", {}, 30, "dsetids", 1),
}


@pytest.fixture(scope="module")
def table() -> SampleTable:
    with np.load(RECORDS / "dataset.npz") as columns:
        labels = zip(columns["pid"], columns["camid"], columns["dsetid"], strict=True)
        return SampleTable.of([(f"{n}.jpg", *row) for n, row in enumerate(labels)])


@pytest.fixture(scope="module")
def records() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RECORDS / "invariants.json").read_text())
    return found


@pytest.mark.parametrize("name", ["RandomIdentitySampler", "CameraIdentitySampler"])
def test_an_epoch_may_be_as_long_as_the_images_fill_batches(table: SampleTable, name: str) -> None:
    """As FastReID counts epochs, which its schedules are by."""
    sampler = build_train_sampler(table, name, 32, epoch="size")
    assert len(sampler) == len(table) // 32 * 32 < len(build_train_sampler(table, name, 32))
    shown = {row for _ in range(10) for row in sampler}
    assert len(shown) > 0.95 * len(table)
    with pytest.raises(ConfigError, match="epoch: expected 'all' or 'size'"):
        build_train_sampler(table, name, 32, epoch="sized")


@pytest.mark.parametrize("case", CASES)
def test_what_torchreid_promises_is_kept(
    table: SampleTable, records: dict[str, Any], case: str
) -> None:
    name, options, batch_size, column, per_batch = CASES[case]
    sampler = build_train_sampler(table, name, batch_size, **options)
    labels = getattr(table, column)
    recorded = records[case] if isinstance(records[case], list) else []
    for epoch in range(5):
        order = np.array(list(sampler))
        assert len(order) == len(sampler)
        assert len(order) % batch_size == 0
        for batch in labels[order].reshape(-1, batch_size):
            _, times = np.unique(batch, return_counts=True)
            assert times.tolist() == [batch_size // per_batch] * per_batch
        assert set(labels[order]) == set(labels)
        if recorded:
            assert recorded[epoch]["batches_where_every_key_has_exactly_K"] == 1
            assert len(np.unique(order)) / len(table) > 1.5 * recorded[epoch]["coverage"]


def test_every_image_is_shown_where_no_identity_is_too_large() -> None:
    rng = np.random.default_rng(0)
    pids = rng.permutation(np.repeat(np.arange(751), rng.integers(2, 73, 751)))
    table = SampleTable.of([(f"{n}.jpg", int(pid), 0) for n, pid in enumerate(pids)])
    order = RandomIdentitySampler(table, 64, seed=0).order(0)
    assert np.unique(order).tolist() == list(range(len(table)))
    assert len(order) < 1.06 * len(table)


@pytest.mark.parametrize("processes", [1, 2, 4])
def test_each_process_sees_whole_identities(table: SampleTable, processes: int) -> None:
    sampler = RandomIdentitySampler(table, 32, seed=0, num_instances=4)
    shares = table.pids[sampler.order(0)].reshape(-1, processes, 32 // processes)
    for share in shares.reshape(-1, 32 // processes):
        _, times = np.unique(share, return_counts=True)
        assert times.tolist() == [4] * (8 // processes)


def test_the_core_cuts_it_into_full_batches(table: SampleTable) -> None:
    sampler = RandomIdentitySampler(table, 32, seed=0)
    batches = EpochBatches(sampler, len(table), 32, drop_last=True)
    assert len(batches) * 32 == len(sampler) == batches.num_images
    for keys in batches:
        assert len(set(keys)) == 32  # a row that comes twice is augmented twice


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda t: RandomIdentitySampler(t, 30, 0, 4), "batch of 30 .* 28 or 32"),
        (lambda t: RandomIdentitySampler(t, 2, 0, 4), "batch of 2 .* to 4,"),
        (lambda t: RandomIdentitySampler(t, 0, 0, 4), "batch of 0 "),
        (lambda t: RandomIdentitySampler(t, 8, 0, 0), "num_instances=0"),
        (lambda t: RandomIdentitySampler(t, 256, 0, 4), "64 identities, but there are 48 .* 192"),
        (lambda t: RandomDomainSampler(t, 32, 0, 7), "7 cameras, but there are 6 .*num_cams"),
        (lambda t: RandomDomainSampler(t, 32, 0, 6), "6 cameras evenly.* 30 or 36"),
        (lambda t: RandomDomainSampler(t, 32, 0, None), "6 cameras evenly.* 30 or 36"),
        (lambda t: RandomDatasetSampler(t, 32, 0, 4), "4 datasets, but there are 3"),
        (lambda t: RandomDatasetSampler(t, 32, 0, 3), "3 datasets evenly.* 30 or 33"),
        (lambda t: RandomIdentitySampler(t[:0], 4, 0), "1 identities, but there are 0"),
        (lambda t: RandomDomainSampler(t[:0], 4, 0, 0), "but there are 0"),
    ],
)
def test_batches_that_cannot_be_kept_are_refused(
    table: SampleTable, make: Any, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        make(table)
