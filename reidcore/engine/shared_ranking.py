"""Who compares features: the device of the run, and all its processes, each a part of the gallery.

Keys depend on the two images alone, and how many lie within a limit are whole numbers that are
added up: whoever counts, the figures are the same to the last bit.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

from reidcore.data.loader.batch_sampler import rank_and_world, stretch_of
from reidcore.engine.agreement import add_up_on_main, ask_others, receive_from_main, send_from_main
from reidcore.errors import UserError
from reidcore.evaluation import Distances, FeatureDistances
from reidcore.evaluation.counting import Keys, Scan
from reidcore.evaluation.kernel import counting_with
from reidcore.evaluation.labels import Int64

_log = logging.getLogger(__name__)
_WORKSPACE = 1 << 30  # bytes of a device for what is computed of a tile


def on_device(distances: Distances, device: torch.device) -> Distances:
    """Return distances of features on a CUDA device that has the memory, all others as they are."""
    if device.type != "cuda" or not isinstance(distances, FeatureDistances):
        return distances
    needed = distances.query.nbytes + distances.gallery.nbytes + _WORKSPACE
    unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    free = torch.cuda.mem_get_info(device)[0] + unused
    if needed > free:
        _log.info("features are compared on the CPU: %s has %d MB free", device, free >> 20)
        return distances
    return distances.to(device)


def shared(distances: Distances) -> Distances:
    """Return distances whose items all processes count, called on rank 0 in `on_main_process`.

    Only the core's own, of features, are shared; the others must assist by a `GalleryShare`.
    """
    _, world = rank_and_world()
    if world == 1 or type(distances) is not FeatureDistances:
        return distances
    return _SharedDistances(distances, world)


@dataclass(frozen=True, eq=False)
class _Features:
    """The request to keep features: all queries, and a part of the gallery that is sent after it.

    Attributes:
        query: (Q, D), on the CPU.
        size: of the gallery.
        dtype: of its features.
        metric: by which they are compared.
        arithmetic: in which numbers.
    """

    query: Tensor
    size: int
    dtype: torch.dtype
    metric: str
    arithmetic: str


@dataclass(frozen=True, eq=False)
class _Count:
    """The request to count the items of one's part within limits of queries; see `Scan`."""

    start: int
    stop: int
    limits: Keys
    first: Int64
    strict: bool

    def of(self, distances: FeatureDistances | None) -> Tensor:
        """Return the (N,) counts."""
        if distances is None:
            return torch.zeros(len(self.limits), dtype=torch.int64)
        scan = distances.scan(self.start, self.stop)
        return torch.from_numpy(scan.counts(self.limits, self.first, self.strict))


class GalleryShare:
    """What another process than rank 0 does while that ranks: it counts in its part of a gallery.

    Args:
        device: of the process.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._distances: FeatureDistances | None = None
        self._arithmetic = ""

    def __call__(self, request: _Features | _Count) -> None:
        """Do what rank 0 asks for."""
        # Torch counts on the CPU as well where rank 0's device does, in the same arithmetic.
        is_torch = "float64" in (self._arithmetic, getattr(request, "arithmetic", ""))
        with counting_with("torch") if is_torch else nullcontext():
            if isinstance(request, _Features):
                self._keep(request)
            else:
                add_up_on_main(request.of(self._distances))

    def _keep(self, request: _Features) -> None:
        self._arithmetic = request.arithmetic
        self._distances = None
        rank, world = rank_and_world()
        part = stretch_of(request.size, rank, world)
        gallery = receive_from_main((len(part), request.query.size(1)), request.dtype)
        if not len(part):
            return
        kept: Distances = FeatureDistances(request.query, gallery, request.metric)
        if request.arithmetic == "float64":
            kept = on_device(kept, self._device)
        assert isinstance(kept, FeatureDistances)
        if kept.arithmetic != request.arithmetic:
            raise UserError(
                f"process {rank} compares features in {kept.arithmetic}, process 0 in "
                f"{request.arithmetic}",
                "Install reidcore alike on all machines, as `reidcore env` shows it.",
            )
        self._distances = kept


class _SharedDistances(FeatureDistances):
    """Distances of features, whose gallery all processes count, each a part."""

    def __init__(self, whole: FeatureDistances, world: int) -> None:
        vars(self).update(vars(whole))
        self._whole = whole
        size = len(whole.gallery)
        parts = [stretch_of(size, rank, world) for rank in range(world)]
        slices = [whole.gallery[part.start : part.stop] for part in parts]
        # Copied before the others are told to wait for them.
        query, copies = whole.query.cpu(), [part.cpu() for part in slices]
        ask_others(_Features(query, size, whole.gallery.dtype, whole.metric, whole.arithmetic))
        send_from_main(copies)
        is_any = len(slices[0]) > 0
        self._own = FeatureDistances(whole.query, slices[0], whole.metric) if is_any else None

    def take(self, rows: Int64 | None = None, columns: Int64 | None = None) -> Distances:
        """Return some rows and columns, which this process counts alone."""
        return self._whole.take(rows, columns)

    def scans(self) -> Iterator[Scan]:
        """Yield scans that all processes count."""
        for scan in super().scans():
            yield _SharedScan(scan, self._own)


class _SharedScan:
    """A scan whose counts come from all processes.

    Args:
        whole: of the whole gallery, for the keys.
        own: distances to this process's part; None if it has none.
    """

    def __init__(self, whole: Scan, own: FeatureDistances | None) -> None:
        self.start, self.stop = whole.start, whole.stop
        self.keys = whole.keys
        self._own = own

    def counts(self, limits: Keys, first: Int64, strict: bool) -> Int64:
        """Count the keys within each limit."""
        request = _Count(self.start, self.stop, limits, first, strict)
        counts = torch.zeros(len(limits), dtype=torch.int64)
        ask_others(request)
        try:
            counts = request.of(self._own)
        finally:  # the others wait for it, whatever fails here
            add_up_on_main(counts)
        found: Int64 = counts.numpy()
        return found
