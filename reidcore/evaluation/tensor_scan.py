"""Ranking keys on any device: products of matrices, and what these leave open in float64.

A matrix product adds in an order of its own, so that its last bits depend on device, library and
shape. Here it only decides what lies farther from a limit than it can be off; all other pairs are
computed one by one in float64, added in one order everywhere. So the counts are the same on every
device, in tiles of any size and in any order of the gallery.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from reidcore.evaluation.counting import Keys, Limits
from reidcore.evaluation.labels import Int64


class _Room(NamedTuple):
    """How much is done at a time.

    Attributes:
        rows: queries of a scan.
        tile: pairs looked at together; the worst case keeps five int64 for each.
        terms: products that are added up together in float64.
    """

    rows: int
    tile: int
    terms: int


_CPU, _DEVICE = _Room(256, 1 << 19, 1 << 17), _Room(4096, 1 << 22, 1 << 24)


def room_on(device: torch.device) -> _Room:
    """Return how much is done at a time: what caches hold, or what keeps a device busy."""
    return _CPU if device.type == "cpu" else _DEVICE


class TensorScan:
    """A scan that computes distances as it goes, on the device of the features.

    Args:
        start: the first query.
        query: (r, D) features of the block's queries.
        gallery: (G, D) features.
        norms: the squared norms of both, (r,) and (G,), in the precision of the products.
        cosine: compare by cosine; otherwise by euclidean distance.
    """

    def __init__(
        self, start: int, query: Tensor, gallery: Tensor, norms: tuple[Tensor, Tensor], cosine: bool
    ) -> None:
        self.start, self.stop = start, start + len(query)
        self._query, self._gallery, self._norms, self._cosine = query, gallery, norms, cosine
        self._bound = _Bound(norms[0].dtype, query.size(1))

    def keys(self, first: Int64, items: Int64) -> Keys:
        """Return the float64 keys of chosen pairs."""
        owner = torch.from_numpy(np.repeat(np.arange(len(first) - 1), np.diff(first)))
        device = self._query.device
        keys: Keys = self._exact(owner.to(device), torch.from_numpy(items).to(device)).cpu().numpy()
        return keys

    def counts(self, limits: Keys, first: Int64, strict: bool) -> Int64:
        """Count the keys within each limit."""
        device = self._query.device
        found = Limits(limits, first, strict, device)
        width = max(1, room_on(device).tile // len(self._query))
        with exact_products(device):
            for left in range(0, len(self._gallery), width):
                self._count(found, slice(left, left + width))
        return found.counts()

    def _count(self, found: Limits, part: slice) -> None:
        """Count the keys of all queries and a part of the gallery."""
        query_norms, norms = self._norms[0], self._norms[1][part]
        query = self._query.to(norms.dtype)
        gallery = self._gallery[part].to(norms.dtype)
        if self._cosine:
            scale, factor, constant = self._bound.cosine(norms)
            keys = query.mm(gallery.T).mul_(-scale)
        else:
            factor, constant = self._bound.euclidean(norms)
            keys = torch.addmm(norms / 2, query, gallery.T, alpha=-1)
        length = self._bound.length(query_norms)
        # (r, 1): what no key of a row is beyond that its loosest limit may hold.
        loosest = (found.loosest + length * factor.max() + constant.max()).to(norms.dtype)
        loosest = torch.nextafter(loosest, torch.full_like(loosest, torch.inf))[:, None]
        row, column = (keys <= loosest).nonzero(as_tuple=True)
        near = keys[row, column]
        slack = torch.addcmul(constant[column], length[row], factor[column])
        tightest = found.tightest(row, near - slack)
        unsure = (~found.hold(tightest, near + slack)).nonzero().flatten()
        row, column = row[unsure], column[unsure] + part.start
        tightest[unsure] = found.tightest_or_none(row, self._exact(row, column))
        found.add(tightest)

    def _exact(self, row: Tensor, column: Tensor) -> Tensor:
        keys = torch.empty(len(row), dtype=torch.float64, device=row.device)
        length = max(1, room_on(row.device).terms // self._query.size(1))
        for start in range(0, len(row), length):
            part = slice(start, start + length)
            query = self._query[row[part]].double()
            gallery = self._gallery[column[part]].double()
            product, norm = _fold(query * gallery), _fold(gallery.square())
            if self._cosine:
                keys[part] = torch.where(norm > 0, -product / norm.sqrt(), 0)
            else:
                keys[part] = norm / 2 - product
        return keys


class _Bound:
    """How far a key is off at most: ``length(query) * factor + constant`` of the gallery item.

    Args:
        dtype: what products are computed in.
        dim: how many are added up, in any order.
    """

    def __init__(self, dtype: torch.dtype, dim: int) -> None:
        numbers = torch.finfo(dtype)
        self._rounding = (dim + 32) * numbers.eps / 2 * 1.1
        self._underflow = 2 * dim * numbers.tiny  # products and sums may be flushed to zero
        self._shortest = math.sqrt(self._underflow) * 2

    def length(self, norms: Tensor) -> Tensor:
        """Return a bound of lengths, given squared norms as they were computed."""
        return norms.sqrt() * (1 + 2 * self._rounding) + self._shortest

    def euclidean(self, norms: Tensor) -> tuple[Tensor, Tensor]:
        """Return factor and constant of gallery items."""
        length = self.length(norms)
        return length * self._rounding, length.square() * self._rounding + self._underflow

    def cosine(self, norms: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return scale, factor and constant; those of tiny vectors leave everything open.

        The scale is off by half of what the squared norm is.
        """
        is_long = norms.sqrt() > self._shortest / torch.finfo(norms.dtype).eps
        scale = torch.where(is_long, norms.rsqrt(), 0)
        factor = torch.where(is_long, 1.5 * self._rounding, torch.inf)
        return scale, factor, scale * self._underflow


def _fold(terms: Tensor) -> Tensor:
    """Add (n, D) terms up to (n,), halves onto halves: in one order, whatever device and n are."""
    size = terms.size(1)
    while size > 1:
        half = (size + 1) // 2
        terms[:, : size - half] += terms[:, half:size]
        size = half
    return terms[:, 0]


@contextmanager
def exact_products(device: torch.device) -> Iterator[None]:
    """Multiply matrices in the precision of their numbers: no TF32, no bfloat16, no autocast."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        with torch.autocast(device.type, enabled=False):
            yield
    finally:
        torch.set_float32_matmul_precision(before)
