"""What batches balanced over domains promise, whatever the sizes of the domains."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reid_plugins_engines.samplers import BalancedDomainSampler

from reidcore.data import build_train_sampler
from reidcore.data.table import SampleTable
from reidcore.errors import ConfigError


def table_of(sizes: list[list[int]], seed: int = 0) -> SampleTable:
    """Make a table of datasets, each given by how many images its identities have."""
    rows, pid = [], 0
    for dsetid, counts in enumerate(sizes):
        for count in counts:
            rows += [(f"{pid}_{n}.jpg", pid, n % 3, dsetid) for n in range(count)]
            pid += 1
    order = np.random.default_rng(seed).permutation(len(rows)).tolist()
    return SampleTable.of([rows[place] for place in order])


@st.composite
def problems(draw: st.DrawFn) -> tuple[SampleTable, int, int, int]:
    """A table, its number of domains, identities of each in a batch, and K."""
    share = draw(st.integers(1, 3))
    counts = st.lists(st.integers(1, 30), min_size=share, max_size=8)
    sizes = draw(st.lists(counts, min_size=1, max_size=4))
    return table_of(sizes, draw(st.integers(0, 99))), len(sizes), share, draw(st.integers(1, 5))


@settings(max_examples=50, deadline=None)
@given(problems())
def test_every_batch_has_as_many_identities_of_each_domain(
    problem: tuple[SampleTable, int, int, int],
) -> None:
    table, domains, share, size = problem
    sampler = BalancedDomainSampler(table, domains * share * size, 3, size)
    for epoch in range(2):
        order = sampler.order(epoch)
        assert order.dtype == np.int64
        assert len(order) == len(sampler) == sampler.num_batches * domains * share * size
        groups = order.reshape(-1, share, domains, size)
        pids, dsetids = table.pids[groups], table.dsetids[groups]
        assert (pids == pids[..., :1]).all()
        assert (dsetids == np.arange(domains)[:, None]).all()  # they alternate
        assert all(
            len(set(batch)) == share * domains
            for batch in pids[..., 0].reshape(len(pids), -1).tolist()
        )


@settings(max_examples=25, deadline=None)
@given(problems())
def test_identities_of_a_domain_come_alike_and_none_stays_away(
    problem: tuple[SampleTable, int, int, int],
) -> None:
    table, domains, share, size = problem
    sampler = BalancedDomainSampler(table, domains * share * size, 0, size)
    order = sampler.order(0)
    assert set(table.pids[order]) == set(table.pids)
    seen = np.zeros(len(table), dtype=bool)
    for epoch in range(40):
        seen[sampler.order(epoch)] = True
    assert seen.all()


def test_the_largest_domain_is_shown_whole_and_the_smallest_as_often() -> None:
    table = table_of([[10] * 100, [10] * 4])
    order = BalancedDomainSampler(table, 16, 0).order(0)
    shown = np.bincount(table.dsetids[order])
    assert shown[0] == shown[1]
    large = np.flatnonzero(table.dsetids == 0)
    assert set(large.tolist()) <= set(order.tolist())
    small = np.bincount(table.pids[order][table.dsetids[order] == 1])[100:]
    assert small.max() - small.min() <= 4


def test_equal_domains_do_not_keep_the_same_company() -> None:
    table = table_of([[4] * 30, [4] * 30])
    order = BalancedDomainSampler(table, 8, 0).order(0)
    pairs = table.pids[order].reshape(-1, 2, 4)[:, :, 0]
    assert (pairs[:, 0] == pairs[:, 1] - 30).mean() < 0.3


def test_domains_may_be_cameras() -> None:
    table = table_of([[9] * 6])
    sampler = BalancedDomainSampler(table, 12, 0, num_instances=2, domain="camera")
    for batch in sampler.order(0).reshape(-1, 12):
        assert np.bincount(table.camids[batch]).tolist() == [4, 4, 4]


@settings(max_examples=50, deadline=None)
@given(problems(), st.data())
def test_weights_are_the_shares_of_identities(
    problem: tuple[SampleTable, int, int, int], data: st.DataObject
) -> None:
    table, domains, _, size = problem
    ids = [len(set(table.pids[table.dsetids == domain])) for domain in range(domains)]
    weights = [data.draw(st.integers(1, most)) for most in ids]
    rounds = min(most // weight for most, weight in zip(ids, weights, strict=True))
    batch = rounds * sum(weights) * size
    sampler = BalancedDomainSampler(table, batch, 3, size, weights=weights)
    groups = sampler.order(1).reshape(-1, rounds, sum(weights), size)
    assert (table.dsetids[groups] == np.repeat(np.arange(domains), weights)[:, None]).all()
    pids = table.pids[groups]
    assert (pids == pids[..., :1]).all()
    assert all(len(set(each)) == len(each) for each in pids[..., 0].reshape(len(pids), -1).tolist())
    assert set(table.pids[sampler.order(0)]) == set(table.pids)


def test_weights_of_one_are_none() -> None:
    table = table_of([[5] * 9, [5] * 4])
    plain = BalancedDomainSampler(table, 16, 0).order(2)
    assert np.array_equal(BalancedDomainSampler(table, 16, 0, weights=[1, 1]).order(2), plain)


def test_an_epoch_may_be_as_long_as_the_images_fill_batches() -> None:
    table = table_of([[10] * 100, [10] * 4])
    sampler = BalancedDomainSampler(table, 16, 0, weights=[1, 3], epoch="size")
    assert sampler.num_batches == 1040 // 16
    shown = np.bincount(table.dsetids[sampler.order(0)])
    assert shown.tolist() == [65 * 4, 65 * 12]


@pytest.mark.parametrize("processes", [1, 2, 4])
def test_each_process_sees_all_domains_alike(processes: int) -> None:
    table = table_of([[5] * 20, [5] * 9, [5] * 6])
    order = BalancedDomainSampler(table, 48, 0, num_instances=4).order(0)
    for share in table.dsetids[order].reshape(-1, 48 // processes):
        assert np.bincount(share).tolist() == [16 // processes] * 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 30}, "each of 2 datasets .* 24 or 32"),
        ({"batch_size": 24}, "3 identities of dataset 1, but there are 2 .* at most 16"),
        ({"batch_size": 32, "domain": "datset"}, "Did you mean 'dataset'"),
        ({"batch_size": 32, "num_instances": 0}, "num_instances=0"),
        ({"batch_size": 32, "weights": [1]}, r"weights=\[1\], and there are 2 datasets"),
        ({"batch_size": 32, "weights": [1, 0]}, r"weights=\[1, 0\].*from 1 for each dataset"),
        ({"batch_size": 32, "weights": [2, 1]}, "by the weights of each of 2 .* 24 or 36"),
        ({"batch_size": 16, "weights": [1, 3]}, "3 identities of .* 1, .* a weight of at most 2"),
        ({"batch_size": 96, "weights": [5, 1]}, "20 identities of dataset 0, .* at most 24,"),
        ({"batch_size": 16, "epoch": "sized"}, "epoch='sized'. It is all or size"),
    ],
)
def test_batches_that_cannot_be_kept_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        BalancedDomainSampler(table_of([[5] * 9, [5] * 2]), seed=0, **options)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="but there are 0"):
        BalancedDomainSampler(SampleTable.of([]), 8, 0)


def test_both_are_found_by_name() -> None:
    table = table_of([[5] * 9, [5] * 4])
    balanced = build_train_sampler(table, "BalancedDomainSampler", 16, domain="dataset")
    cameras = build_train_sampler(table, "CameraIdentitySampler", 16, num_instances=2)
    assert len(list(balanced)) == len(balanced)
    assert len(list(cameras)) == len(cameras)
