"""Pooling of maps."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from reid_plugins_standard.poolings import GeneralizedMeanPool

from reidcore.models import summarize
from reidcore.registry import choose
from reidcore.testing import TinyWorld, make_plugins


def pool_of(name, **options):
    return choose("poolings", name, options).make(channels=3)


def positive_maps(seed: int = 0, top: float = 5.0) -> torch.Tensor:
    return top * torch.rand(2, 3, 4, 2, generator=torch.Generator().manual_seed(seed)) + 1e-3


def test_average_maximum_and_their_sum() -> None:
    maps = torch.tensor([[[[1.0, 2.0], [3.0, 6.0]]]])
    assert pool_of("avg")(maps).item() == 3.0
    assert pool_of("max")(maps).item() == 6.0
    assert pool_of("avg+max")(maps).item() == 9.0


def test_maxima_stand_before_averages_where_both_are_kept() -> None:
    maps = torch.tensor([[[[1.0, 2.0], [3.0, 6.0]], [[0.0, 0.0], [4.0, 0.0]]]])
    assert pool_of("avg_max_cat")(maps).tolist() == [[6.0, 4.0, 3.0, 1.0]]


def test_a_network_behind_both_side_by_side_is_twice_as_wide() -> None:
    with make_plugins(TinyWorld()) as plugins:
        wide = summarize("tinynet", (64, 32), plugins, head={"pool": "avg_max_cat"})
        usual = summarize("tinynet", (64, 32), plugins, head={"pool": "avg"})
    assert wide.feature_dim == 2 * usual.feature_dim


def test_a_generalized_mean_by_hand() -> None:
    maps = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    # (1 + 8 + 27 + 64) / 4 = 25
    assert GeneralizedMeanPool(3.0)(maps).item() == pytest.approx(25 ** (1 / 3), rel=1e-6)


def test_an_exponent_of_one_is_the_average() -> None:
    maps = positive_maps()
    torch.testing.assert_close(GeneralizedMeanPool(1.0)(maps), maps.mean((2, 3)))


def test_a_large_exponent_tends_to_the_maximum() -> None:
    maps = positive_maps()
    pooled = GeneralizedMeanPool(1000.0)(maps)
    torch.testing.assert_close(pooled, maps.amax((2, 3)), rtol=3e-3, atol=0)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1000),
    top=st.floats(0.01, 1e4),
    p=st.floats(1.0, 200.0),
    more=st.floats(0.0, 50.0),
)
def test_it_grows_with_the_exponent_between_average_and_maximum(seed, top, p, more) -> None:
    maps = positive_maps(seed, top)
    low, high = GeneralizedMeanPool(p)(maps), GeneralizedMeanPool(p + more)(maps)
    slack = 1 + 1e-4
    assert (maps.mean((2, 3)) <= low * slack).all()
    assert (low <= high * slack).all()
    assert (high <= maps.amax((2, 3)) * slack).all()


def test_the_exponent_learns_and_empty_maps_have_finite_slopes() -> None:
    pool = GeneralizedMeanPool(3.0)
    maps = torch.zeros(2, 3, 4, 2)
    maps[0] = positive_maps()[0]
    maps.requires_grad_()
    pool(maps).sum().backward()
    assert torch.isfinite(maps.grad).all()
    assert torch.isfinite(pool.p.grad).all()
    assert pool.p.grad.item() != 0


def test_an_exponent_that_is_fixed_is_neither_learnt_nor_kept() -> None:
    pool = pool_of("gem", gem_p=4.0, gem_learnable=False)
    torch.testing.assert_close(pool(positive_maps()), GeneralizedMeanPool(4.0)(positive_maps()))
    assert not list(pool.parameters())
    assert not pool.state_dict()


def test_it_computes_in_full_precision_under_autocast() -> None:
    pool, maps = GeneralizedMeanPool(30.0), 100 * positive_maps()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        pooled = pool(maps)
    assert pooled.dtype is torch.float32
    torch.testing.assert_close(pooled, pool(maps))


def test_networks_with_it_are_measured_without_memory() -> None:
    with make_plugins(TinyWorld()) as plugins:
        measured = summarize("tinynet", (64, 32), plugins, head={"pool": "gem", "embedding": 5})
    # A convolution of 3x3 from 3 to 8 channels with bias, its norm, p, and a layer from 8 to 5.
    assert measured.parameters == 8 * 28 + 16 + 1 + 5 * 9
    assert measured.feature_dim == 5
