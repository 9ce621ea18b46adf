"""Distances between queries and gallery, given out a block of rows at a time."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from reidcore.errors import DataError, UnknownNameError, UserError, counted, did_you_mean, quoted
from reidcore.evaluation.counting import FeatureScan, RowScan, Scan
from reidcore.evaluation.kernel import compiled, thread_count
from reidcore.evaluation.labels import Int64
from reidcore.evaluation.tensor_scan import TensorScan, exact_products, room_on

METRICS = ("euclidean", "cosine")
Rows = npt.NDArray[np.floating[Any]]

_BLOCK_BYTES = 32 << 20  # one block of rows
_BLOCK_ROWS = 256
_TILE = 1 << 20  # distances computed by one matrix product
_PAIRS = 1 << 18  # numbers of features that stay in a cache while pairs are compared
_SCAN_BYTES = 8 << 20  # queries that the compiled kernel packs together
_APART = 1e4  # times as long: no features of one model and its images are
_EXACT = 1 << 24  # float32 holds all whole numbers up to here


def compute_distance_matrix(input1: Tensor, input2: Tensor, metric: str = "euclidean") -> Tensor:
    """Return the whole distance matrix, as Torchreid defines it.

    Args:
        input1: (Q, D) features, real numbers of any type.
        input2: (G, D) features.
        metric: ``"euclidean"``, which is *squared*, or ``"cosine"``, which is 1 - cos.

    Returns:
        (Q, G) distances, at least float32; gradients flow through them.

    Raises:
        UserError: if a shape, a device or the metric is wrong, or a feature is not finite.
    """
    query, gallery = _as_features("query", input1), _as_features("gallery", input2)
    _check_features(query, gallery)
    check_metric(metric)
    # Torch does not mix types, and numbers of 16 bits overflow where their squares are summed.
    dtype = torch.promote_types(torch.promote_types(query.dtype, gallery.dtype), torch.float32)
    query, gallery = query.to(dtype), gallery.to(dtype)
    q_norms, g_norms = query.square().sum(1), gallery.square().sum(1)
    _check_comparable("query", q_norms)
    _check_comparable("gallery", g_norms)
    with exact_products(query.device):
        return _pairwise(query, gallery, q_norms, g_norms, metric)


class Distances(ABC):
    """Distances of Q queries to G gallery items. Smaller is nearer; they need not be stored."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int]:
        """``(Q, G)``."""

    @abstractmethod
    def blocks(self, rows: int | None = None) -> Iterator[tuple[int, Rows]]:
        """Yield ``(start, block)`` in order: block (r, G) holds queries from ``start`` on.

        Args:
            rows: how many queries in a block; None chooses for bounded memory.
        """

    def tensors(self, rows: int | None = None) -> Iterator[tuple[int, Tensor]]:
        """Yield the blocks as tensors, on the device where they are made."""
        for start, block in self.blocks(rows):
            yield start, torch.from_numpy(np.ascontiguousarray(block))

    def scans(self) -> Iterator[Scan]:
        """Yield what ranking needs; override it where there is a faster road than `blocks`."""
        for start, block in self.blocks():
            rows = torch.from_numpy(np.ascontiguousarray(block))
            if torch.isnan(rows.max()):
                row, column = np.argwhere(np.isnan(block))[0]
                raise DataError(
                    f"the distance of query {start + row} to gallery item {column} is NaN",
                    "Look for NaN in the features or in the distance matrix.",
                )
            yield RowScan(start, rows)

    def pairs(self, rows: Int64, columns: Int64) -> Rows:
        """Return the (N,) distances of chosen pairs; override it where blocks are dear.

        Args:
            rows: (N,) queries, ascending.
            columns: (N,) gallery items.
        """
        chosen = []
        for start, block in self.blocks():
            begin, end = np.searchsorted(rows, [start, start + len(block)])
            chosen.append(block[rows[begin:end] - start, columns[begin:end]])
        return np.concatenate(chosen)

    def take(self, rows: Int64 | None = None, columns: Int64 | None = None) -> Distances:
        """Return the distances of some queries to some gallery items, in that order.

        Args:
            rows: (Q',) queries; None for all. In another than ascending order they are held in
                memory, as (Q', G') distances.
            columns: (G',) gallery items; None for all.
        """
        if rows is None or (np.diff(rows) >= 0).all():
            return _Taken(self, rows, columns)
        ascending, places = np.unique(rows, return_inverse=True)
        held = np.concatenate([block for _, block in _Taken(self, ascending, columns).blocks()])
        return MatrixDistances(held).take(places)

    def conditions(self) -> dict[str, Any]:
        """Return what the distances are, in plain values: ``metric``, ``rerank``."""
        return {}

    def _spans(self, rows: int | None) -> Iterator[tuple[int, int]]:
        queries, gallery = self.shape
        if rows is None:
            rows = max(1, min(_BLOCK_ROWS, _BLOCK_BYTES // (4 * gallery)))
        for start in range(0, queries, rows):
            yield start, min(start + rows, queries)


class _Taken(Distances):
    """Some rows and columns of other distances.

    Args:
        whole: the others.
        rows: (Q',) which queries, ascending; None for all.
        columns: (G',) which gallery items; None for all.
    """

    def __init__(self, whole: Distances, rows: Int64 | None, columns: Int64 | None) -> None:
        self._whole = whole
        self._rows = np.arange(whole.shape[0]) if rows is None else rows
        self._columns = slice(None) if columns is None else columns
        self._shape = len(self._rows), whole.shape[1] if columns is None else len(columns)

    @property
    def shape(self) -> tuple[int, int]:
        return self._shape

    def blocks(self, rows: int | None = None) -> Iterator[tuple[int, Rows]]:
        for start, block in self._whole.blocks(rows):
            begin, end = np.searchsorted(self._rows, [start, start + len(block)])
            if begin < end:
                yield int(begin), block[self._rows[begin:end] - start][:, self._columns]

    def conditions(self) -> dict[str, Any]:
        return self._whole.conditions()


class MatrixDistances(Distances):
    """A distance matrix that exists already.

    Args:
        matrix: (Q, G) distances, an array or a tensor of real numbers.

    Raises:
        UserError: if they are no real numbers, it is not two-dimensional, or it has no rows or
            columns.
    """

    def __init__(self, matrix: npt.ArrayLike | Tensor) -> None:
        if isinstance(matrix, Tensor) and not matrix.is_complex():
            matrix = matrix.detach().cpu()
            matrix = (matrix.float() if matrix.dtype.itemsize < 4 else matrix).numpy()
        self._matrix = _real_array("the distances", matrix)
        if self._matrix.ndim != 2 or not self._matrix.size:
            raise DataError(
                f"a distance matrix must be (queries, gallery), not {self._matrix.shape}"
            )

    @property
    def shape(self) -> tuple[int, int]:
        """``(Q, G)``."""
        return self._matrix.shape[0], self._matrix.shape[1]

    def blocks(self, rows: int | None = None) -> Iterator[tuple[int, Rows]]:
        """Yield the matrix in blocks of rows, in its own precision but at least float32."""
        dtype = np.result_type(self._matrix.dtype, np.float32)
        for start, stop in self._spans(rows):
            yield start, self._matrix[start:stop].astype(dtype, copy=False)

    def take(self, rows: Int64 | None = None, columns: Int64 | None = None) -> Distances:
        """Return the distances of some queries to some gallery items, in any order."""
        matrix = self._matrix if rows is None else self._matrix[rows]
        return MatrixDistances(matrix if columns is None else matrix[:, columns])


class FeatureDistances(Distances):
    """Distances of features under a metric, never stored as a whole.

    Args:
        query: (Q, D) features, a tensor on any device or an array.
        gallery: (G, D) features, on the same device.
        metric: ``"euclidean"`` (squared) or ``"cosine"`` (1 - cos).

    Raises:
        UserError: if a shape, a device or the metric is wrong, or a feature is not finite.
    """

    def __init__(
        self,
        query: npt.ArrayLike | Tensor,
        gallery: npt.ArrayLike | Tensor,
        metric: str = "euclidean",
    ) -> None:
        self.query = _as_features("query", query).detach()
        self.gallery = _as_features("gallery", gallery).detach()
        _check_features(self.query, self.gallery)
        check_metric(metric)
        self.metric = metric
        kinds = (self.query.dtype, self.gallery.dtype)
        self._dtype = torch.float64 if torch.float64 in kinds else torch.float32
        self._query_norms = self._squared_norms("query", self.query)
        self._gallery_norms = self._squared_norms("gallery", self.gallery)

    @property
    def shape(self) -> tuple[int, int]:
        """``(Q, G)``."""
        return len(self.query), len(self.gallery)

    def blocks(self, rows: int | None = None) -> Iterator[tuple[int, Rows]]:
        """Yield distances in blocks of rows, computed as they are asked for."""
        for start, block in self.tensors(rows):
            yield start, block.cpu().numpy()

    def tensors(self, rows: int | None = None) -> Iterator[tuple[int, Tensor]]:
        """Yield the blocks on the features' device."""
        for start, stop in self._spans(rows):
            yield start, self._rows(start, stop)

    def scans(self) -> Iterator[Scan]:
        """Yield scans that run where the features are, compiled where they can be."""
        for start, stop in self._spans(self._scan_rows()):
            yield self.scan(start, stop)

    def scan(self, start: int, stop: int) -> Scan:
        """Return a scan of some queries; its keys do not depend on which others it has."""
        query, is_cosine = self.query[start:stop], self.metric == "cosine"
        if self._extension:
            return FeatureScan(start, query, self.gallery.contiguous(), is_cosine)
        norms = self._query_norms[start:stop], self._gallery_norms
        return TensorScan(start, query, self.gallery, norms, is_cosine)

    @property
    def arithmetic(self) -> str:
        """In which numbers scans compare; keys of the same two images are then the same bits."""
        extension = self._extension
        if extension is None:
            return "float64"
        return "float32" if extension.kernels()[0] == "portable" else "fused float32"

    @property
    def _extension(self) -> ModuleType | None:
        on_cpu = self.query.device.type == self.gallery.device.type == "cpu"
        plain = self.query.dtype == self.gallery.dtype == torch.float32
        return compiled() if on_cpu and plain else None

    def _scan_rows(self) -> int:
        if self._extension is None:
            return room_on(self.query.device).rows
        # Each thread has counters of its own: the more threads, the fewer queries at a time.
        share = _SCAN_BYTES // (4 * self.gallery.size(1) * -(-thread_count() // 8))
        return max(_BLOCK_ROWS, share)

    def to(self, device: torch.device) -> FeatureDistances:
        """Return the same distances, computed on a device."""
        moved = copy.copy(self)
        for name in ("query", "gallery", "_query_norms", "_gallery_norms"):
            setattr(moved, name, getattr(self, name).to(device))
        return moved

    def pairs(self, rows: Int64, columns: Int64) -> Rows:
        """Return the (N,) distances of chosen pairs, in any order."""
        device = self.query.device
        left, right = (torch.from_numpy(side).to(device) for side in (rows, columns))
        chosen = left.new_empty(len(left), dtype=self._dtype)
        length = max(1, _PAIRS // self.query.size(1))
        for start in range(0, len(left), length):
            part = slice(start, start + length)
            query = self.query.index_select(0, left[part]).to(self._dtype)
            gallery = self.gallery.index_select(0, right[part]).to(self._dtype)
            if self.metric == "euclidean":
                chosen[part] = query.sub_(gallery).square_().sum(1)
            else:
                chosen[part] = 1 - F.cosine_similarity(query, gallery, eps=1e-12)
        return chosen.cpu().numpy()

    def take(self, rows: Int64 | None = None, columns: Int64 | None = None) -> Distances:
        """Return the distances of some queries to some gallery items, in any order."""
        taken, device = copy.copy(self), self.query.device
        if rows is not None:
            index = torch.from_numpy(rows).to(device)
            taken.query, taken._query_norms = self.query[index], self._query_norms[index]
        if columns is not None:
            index = torch.from_numpy(columns).to(device)
            taken.gallery, taken._gallery_norms = self.gallery[index], self._gallery_norms[index]
        return taken

    def conditions(self) -> dict[str, Any]:
        """Return the metric."""
        return {"metric": self.metric}

    def check_sides(self) -> None:
        """Refuse vectors of zeros under cosine, and sides too unlike in length to be of one model.

        The front doors ask for it.

        Raises:
            DataError: with the number of zeros and the first one's index, or both lengths.
        """
        sides = {"query": self._query_norms, "gallery": self._gallery_norms}
        for side, norms in sides.items():
            zero = (norms == 0).nonzero().flatten()
            if self.metric == "cosine" and len(zero):
                raise DataError(
                    f"{len(zero)} of {len(norms)} {side} features are all zeros, the first at "
                    f"index {int(zero[0])}: cosine compares directions, and they have none",
                    "Look for blank images or a dead last layer, or compare by euclidean.",
                )
        query, gallery = (float(norms.median()) ** 0.5 for norms in sides.values())
        if self.metric == "euclidean" and max(query, gallery) > _APART * min(query, gallery) > 0:
            raise DataError(
                f"query features are {query:.3g} long, gallery features {gallery:.3g} (medians)",
                "Extract both with the same model, or scale both to unit length.",
            )

    def _rows(self, start: int, stop: int) -> Tensor:
        query = self.query[start:stop].to(self._dtype)
        rows = query.new_empty(stop - start, len(self.gallery))
        width = max(1, _TILE // len(query))
        for left in range(0, len(self.gallery), width):
            part = slice(left, left + width)
            with exact_products(query.device):
                rows[:, part] = _pairwise(
                    query,
                    self.gallery[part].to(self._dtype),
                    self._query_norms[start:stop],
                    self._gallery_norms[part],
                    self.metric,
                )
        return rows

    def _squared_norms(self, side: str, features: Tensor) -> Tensor:
        norms = features.new_empty(len(features), dtype=self._dtype)
        height = max(1, _TILE // features.size(1))
        for top in range(0, len(features), height):
            part = slice(top, top + height)
            norms[part] = features[part].to(self._dtype).square().sum(1)
        _check_comparable(side, norms)
        return norms


def _pairwise(
    query: Tensor, gallery: Tensor, q_norms: Tensor, g_norms: Tensor, metric: str
) -> Tensor:
    """Return (q, g) distances, given the squared norms of both sides."""
    if metric == "euclidean":
        return torch.addmm(q_norms[:, None] + g_norms, query, gallery.T, alpha=-2)
    q_scale, g_scale = (norms.clamp_min(1e-24).rsqrt() for norms in (q_norms, g_norms))
    return 1 - query.mm(gallery.T) * q_scale[:, None] * g_scale


def _as_features(side: str, features: npt.ArrayLike | Tensor) -> Tensor:
    """Return features as floating point: whole numbers in the narrowest type that holds them."""
    name = f"the {side} features"
    if isinstance(features, Tensor):
        _check_real(name, "c" if features.is_complex() else "f", features.dtype)
        tensor = features
    else:
        tensor = torch.from_numpy(np.ascontiguousarray(_real_array(name, features)))
    if tensor.is_floating_point():
        return tensor
    wide = tensor.to(torch.float64)
    exact = bool((wide.abs() <= _EXACT).all())
    return wide.float() if exact else wide


def _real_array(name: str, values: Any) -> npt.NDArray[Any]:
    """Return real numbers as an array of a type that torch knows."""
    try:
        array = np.asarray(values)
    except (ValueError, TypeError) as error:  # rows of several lengths, a complex tensor
        raise DataError(f"{name} are no array of numbers: {error}") from error
    _check_real(name, array.dtype.kind, array.dtype)
    known = np.dtype(f"=f{min(array.itemsize, 8)}") if array.dtype.kind == "f" else array.dtype
    return array.astype(known.newbyteorder("="), copy=False)


def _check_real(name: str, kind: str, dtype: object) -> None:
    if kind not in "biuf":
        # The imaginary part would be dropped without a word.
        raise DataError(f"{name} are {dtype}", "Give real numbers, such as float32.")


def _check_comparable(side: str, norms: Tensor) -> None:
    """Refuse features whose squared norms (N,) are not finite, or overflow once added."""
    # A quarter, so that no sum or difference of two products overflows; NaN fails as well.
    bad = (~(norms <= torch.finfo(norms.dtype).max / 4)).nonzero().flatten()
    if len(bad):
        raise DataError(
            f"{len(bad)} of {len(norms)} {side} features are NaN, infinite or too large "
            f"to compare, the first at index {int(bad[0])}",
            "Look for a diverged training or a division by zero in the feature extraction.",
        )


def _check_features(query: Tensor, gallery: Tensor) -> None:
    for side, features in (("query", query), ("gallery", gallery)):
        if features.dim() != 2:
            raise UserError(
                f"{side} features must be (items, dim), not of shape {tuple(features.shape)}"
            )
        if not features.numel():
            raise DataError(f"the {side} features are empty: shape {tuple(features.shape)}")
    if query.size(1) != gallery.size(1):
        raise UserError(
            f"query features have {counted(query.size(1), 'dimension')}, gallery features "
            f"{gallery.size(1)}",
            "Extract both with the same model.",
        )
    if query.device != gallery.device:
        raise UserError(
            f"query features are on {query.device}, gallery features on {gallery.device}",
            "Move both to one device.",
        )


def check_metric(metric: str) -> None:
    """Refuse a metric that is not the core's.

    Raises:
        UnknownNameError: naming the nearest one.
    """
    if metric not in METRICS:
        raise UnknownNameError(
            f"no distance metric {quoted(metric)}; there are {' and '.join(METRICS)}",
            did_you_mean(metric, METRICS),
        )
