"""What a dataset is made of: samples, and the three splits they come in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from reidcore.data.table import SampleTable

SamplePath: TypeAlias = str | tuple[str, ...]
"""Path of an image, or the paths of a tracklet's frames in order of time."""

JUNK_PID = -1
"""Market1501's mark for images that count neither for nor against a query."""


class Sample(NamedTuple):
    """One image (or tracklet) with its labels.

    It unpacks as Torchreid's tuples do: ``path, pid, camid, dsetid = sample``.

    Attributes:
        path: Path of the image; a tuple of paths for a tracklet.
        pid: Identity. Any integer: the core relabels the training identities to 0..C-1.
        camid: Camera. Any integer, unique within its dataset.
        dsetid: Index of the source dataset, set by the core where sources are merged.
    """

    path: SamplePath
    pid: int
    camid: int
    dsetid: int = 0


SampleLike: TypeAlias = (
    "Sample | tuple[SamplePath, int, int] | tuple[SamplePath, int, int, int] | Sequence[object]"
)
"""A `Sample`, or Torchreid's plain ``(path, pid, camid[, dsetid])``."""

Samples: TypeAlias = "SampleTable | Sequence[SampleLike]"
"""What a dataset may give as one split."""


class Splits(NamedTuple):
    """The three splits of a dataset: all that a dataset factory has to return.

    A split may be empty: a dataset without ``query`` and ``gallery`` serves for training only, one
    without ``train`` for testing only.

    Attributes:
        train: Samples to learn from.
        query: Samples to search for.
        gallery: Samples to search in.
    """

    train: Samples
    query: Samples
    gallery: Samples
