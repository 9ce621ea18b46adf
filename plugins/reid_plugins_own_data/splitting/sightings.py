"""What a table says of each image, as numbers: who, by which camera, in which track, and when."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from reidcore.data import JUNK_PID, Int64Array, NumberedTexts
from reidcore.errors import DataError

__all__ = ["FRAME_COLUMN", "TRACK_COLUMNS", "Sightings", "sightings_of"]

TRACK_COLUMNS = ("sequence", "track")
"""Images of an identity by a camera that agree in these are of one track."""

FRAME_COLUMN = "frame"


@dataclass(frozen=True, eq=False)
class Sightings:
    """N images of identities.

    Attributes:
        pids: (N,) identities; those of `JUNK_PID` are nobody.
        camids: (N,) cameras; all 0 where no table says them.
        tracks: (N,) tracks, of an identity before a camera each; an image without one is a track
            of its own.
        moments: (N,) places in the order of time, or of paths where frames are not known.
        strata: (N,) numbers of the classes to draw from evenly; all 0 without.
        pid_names: identity -> its name, where it has one.
        class_names: what each stratum is called.
        knows_tracks: whether any image says its track.
    """

    pids: Int64Array
    camids: Int64Array
    tracks: Int64Array
    moments: Int64Array
    strata: Int64Array
    pid_names: Mapping[int, str]
    class_names: Sequence[str]
    knows_tracks: bool

    def __len__(self) -> int:
        return len(self.pids)

    @cached_property
    def rows_of(self) -> dict[int, Int64Array]:
        """Identity -> its rows in order of time; nobody's are left out."""
        order = np.lexsort((self.moments, self.pids))
        order = order[self.pids[order] != JUNK_PID]
        pids, starts = np.unique(self.pids[order], return_index=True)
        parts = np.split(order, starts[1:]) if len(pids) else []
        return dict(zip(pids.tolist(), parts, strict=True))

    def name(self, pid: int) -> str:
        """Return what an identity is called."""
        return self.pid_names.get(pid, str(pid))

    def class_of(self, pid: int) -> str:
        """Return the class of an identity: that of its first image."""
        return self.class_names[int(self.strata[self.rows_of[pid][0]])]


def sightings_of(
    columns: Mapping[str, Sequence[str]],
    roles: Mapping[str, str],
    by: str = "",
    is_wanted: Sequence[bool] | None = None,
) -> Sightings:
    """Number what the columns of a table say.

    Args:
        columns: name of a column -> its N texts.
        roles: ``path``, ``pid`` and ``camid`` -> the column that says it; cameras may be absent.
        by: the column of classes; empty for none.
        is_wanted: of each row whether it counts; others show nobody. None for all.

    Raises:
        DataError: an identity or a camera is no label, such as an empty text.
    """
    pids, pid_names = _labels(columns[roles["pid"]], roles["pid"], JUNK_PID)
    if is_wanted is not None:
        pids = np.where(np.array(is_wanted, dtype=bool), pids, JUNK_PID)
    count = len(pids)
    nowhere = np.zeros(count, dtype=np.int64)
    cameras = columns.get(roles["camid"])
    camids = nowhere if cameras is None else _labels(cameras, roles["camid"], None)[0]
    tracks, knows_tracks = _tracks(columns, pids, camids)
    strata, classes = (nowhere, [""]) if not by else _codes(columns[by])
    paths = columns[roles["path"]]
    moments = _moments(columns.get(FRAME_COLUMN), paths)
    return Sightings(pids, camids, tracks, moments, strata, pid_names, classes, knows_tracks)


def _labels(
    texts: Sequence[str], column: str, lowest: int | None
) -> tuple[Int64Array, dict[int, str]]:
    read = NumberedTexts.of(dict.fromkeys(texts), lowest)
    if read.wrong:
        text, why = next(iter(read.wrong.items()))
        line = texts.index(text) + 2
        raise DataError(
            f"line {line} of the table, column {column!r}: {text!r} {why}", "Correct the table"
        )
    numbers = (read.numbers[text] for text in texts)
    return np.fromiter(numbers, np.int64, len(texts)), read.names


def _tracks(
    columns: Mapping[str, Sequence[str]], pids: Int64Array, camids: Int64Array
) -> tuple[Int64Array, bool]:
    """Return the (N,) numbers of tracks, and whether any image says its own."""
    said = [columns[name] for name in TRACK_COLUMNS if name in columns]
    numbers = np.arange(len(pids), dtype=np.int64)
    names = columns.get("track", columns.get("sequence"))  # a sequence alone is one track
    if names is None:
        return numbers, False
    has_track = np.array([text.strip() not in ("", "-1") for text in names], dtype=bool)
    alone = np.where(has_track, 0, numbers + 1)
    keys = np.stack([pids, camids, alone, *(_codes(column)[0] for column in said)])
    _, tracks = np.unique(keys, axis=1, return_inverse=True)  # (K, N) -> (N,)
    return tracks.reshape(-1).astype(np.int64), bool(has_track.any())


def _moments(frames: Sequence[str] | None, paths: Sequence[str]) -> Int64Array:
    """Return (N,) places in the order of frames, and of paths where these are equal or unknown."""
    by_path = _places(range(len(paths)), paths.__getitem__)
    if frames is None:
        return by_path
    times = [_time(text) for text in frames]
    return _places(range(len(paths)), lambda row: (times[row], int(by_path[row])))


def _places(rows: range, key: Callable[[int], Any]) -> Int64Array:
    places = np.empty(len(rows), dtype=np.int64)
    places[np.array(sorted(rows, key=key), dtype=np.int64)] = np.arange(len(rows))
    return places


def _time(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("inf")


def _codes(texts: Sequence[str]) -> tuple[Int64Array, list[str]]:
    """Return the (N,) numbers of texts in the order of these, and the texts."""
    stripped: npt.NDArray[np.str_] = np.array([text.strip() for text in texts])
    names, codes = np.unique(stripped, return_inverse=True)
    return codes.reshape(-1).astype(np.int64), names.tolist()
