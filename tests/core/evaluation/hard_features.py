"""Features that are hard to compare: ties, near ties, numbers that are lost or overflow."""

from __future__ import annotations

import numpy as np


def normal(rng, count, dim):
    return rng.standard_normal((count, dim), dtype=np.float32)


def grid(rng, count, dim):
    """Few values: most distances tie."""
    return rng.integers(-1, 2, (count, dim)).astype(np.float32)


def alike(rng, count, dim):
    """One vector, in which the last bits differ."""
    vector = np.random.default_rng(7).standard_normal(dim)
    return (vector * (1 + 1e-7 * rng.integers(-2, 3, (count, dim)))).astype(np.float32)


def same(rng, count, dim):
    return np.ones((count, dim), dtype=np.float32)


def one_hot(rng, count, dim):
    return np.eye(dim, dtype=np.float32)[rng.integers(0, dim, count)] * 3


def of_many_sizes(rng, count, dim):
    return normal(rng, count, dim) * (10.0 ** rng.integers(-17, 17, (count, 1))).astype(np.float32)


def small(rng, count, dim):
    """Few numbers, in several sizes, whose products float32 loses in part."""
    sizes = 10.0 ** rng.choice([-4, -22, -22.5, -23, -40], (count, 1))
    return (rng.integers(-2, 3, (count, dim)) * sizes).astype(np.float32)


def short_and_long(rng, count, dim):
    """Products that are small beside the squared norms that they are taken from."""
    return normal(rng, count, dim) * rng.choice([3e-4, 1], (count, 1)).astype(np.float32)


def tiny(rng, count, dim):
    """Numbers that products of float32 lose, some of them denormal."""
    size = np.where(rng.integers(0, 2, (count, 1)), np.float32(1e-30), np.float32(1))
    return normal(rng, count, dim) * size


def denormal(rng, count, dim):
    return (rng.integers(-3, 4, (count, dim)) * 1e-44).astype(np.float32)


def huge(rng, count, dim):
    return normal(rng, count, dim) * np.float32(4e18 / dim**0.5)


def with_zeros(rng, count, dim):
    return normal(rng, count, dim) * rng.integers(0, 2, (count, 1)).astype(np.float32)


def one_large_number(rng, count, dim):
    return normal(rng, count, dim) + 1e4 * np.eye(1, dim, dtype=np.float32)


KINDS = [normal, grid, alike, same, one_hot, of_many_sizes, small, tiny, denormal, huge, with_zeros]
KINDS += [one_large_number, short_and_long]
