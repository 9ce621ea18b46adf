"""Tracks in the form of MOTChallenge: rows ``frame, id, left, top, width, height, ...``."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from reid_plugins_tracks.frames import frames_by_number
from reid_plugins_tracks.mot import MotTable, is_mot, read_mot
from reid_plugins_tracks.places import usual_places

from reid_plugins_own_data.crop import Crop, Recognised
from reid_plugins_own_data.formats.frames import find_frames, only_video
from reidcore.data import leave_out
from reidcore.errors import DataError

_TRUTH = Path("gt", "gt.txt")
_DEEPEST = 2
_FIRST_FRAME = 1


class Mot:
    """Reads ground truth (``gt/gt.txt``), or a tracker's files, with frames or a video.

    Rows of ground truth that are marked to be ignored are left out. The camera is the sequence.

    Args:
        frames: folder of images or video; a folder of those, named as the sequences, for several.
            By default they are sought beside the rows: ``img1``, or a video of the same name.
        first_frame: the number of the first frame; found out by default.
        first_pixel: 1 where the left upper pixel is (1, 1), as in MOTChallenge's own files.
        min_confidence: least confidence of a tracker's row.
    """

    def __init__(
        self,
        frames: str = "",
        first_frame: int | None = None,
        first_pixel: int = 0,
        min_confidence: float | None = None,
    ) -> None:
        self._frames = frames
        self._first_frame = first_frame
        self._first_pixel = first_pixel
        self._min_confidence = min_confidence

    def recognise(self, source: Path) -> Recognised | None:
        """Take folders with ``gt/gt.txt``, and files whose first row is of that form."""
        sequences = _sequences(source)
        if not sequences:
            return None
        if len(sequences) == 1:
            name = sequences[0].table.name
            return Recognised(f"{name} has rows of frame, id and box", is_sure=True)
        return Recognised(f"it has {len(sequences)} sequences with rows of frame, id and box", True)

    def crops(self, source: Path) -> Iterator[Crop]:
        """Yield the boxes of all sequences.

        Raises:
            DataError: there are no tracks, rows are no numbers, or frames are not found.
        """
        # A file that was named, whatever it is called, is told what is wrong with its rows.
        sequences = _sequences(source) or ([_of_file(source)] if source.is_file() else [])
        if not sequences:
            raise DataError(
                f"no sequence with {_TRUTH}, nor a file of rows of frame, id and box, in "
                f"{str(source)!r}",
                "Name the file of the rows, and frames=FOLDER or frames=VIDEO",
            )
        for sequence in _without_copies(sequences):
            yield from self._crops_of(sequence, len(sequences) > 1)

    def _crops_of(self, sequence: _Sequence, has_others: bool) -> Iterator[Crop]:
        rows = self._wanted(sequence)
        place = find_frames(self._frames, sequence.name, sequence.places(has_others), has_others)
        frames = rows.frames.tolist()
        pictures = frames_by_number(place, {*frames}, _FIRST_FRAME, self._first_frame)
        lost = [f"{sequence.name}, frame {number}" for number in sorted({*frames} - {*pictures})]
        leave_out(lost, "frames", f"annotated, and not in {str(place)!r}")
        corner = rows.boxes - (self._first_pixel, self._first_pixel, 0, 0)
        classes = sequence.classes()
        for row, frame in enumerate(frames):
            if frame in pictures:
                left, top, width, height = corner[row].tolist()
                category, confidence = _told(rows.category[row]), _told(rows.confidence[row])
                yield Crop(
                    pictures[frame],
                    box=(left, top, width, height),
                    category=classes.get(category, category),
                    sequence=sequence.name,
                    frame=frame,
                    track=str(rows.tracks[row]),
                    visibility=float(rows.visibility[row]) if _told(rows.visibility[row]) else None,
                    further={"confidence": confidence} if confidence else {},
                )

    def _wanted(self, sequence: _Sequence) -> MotTable:
        """Return the rows of a sequence that are of tracks and wanted."""
        table = read_mot(sequence.table, is_truth=sequence.is_truth)
        if (table.tracks < 0).all():
            raise DataError(
                f"{str(sequence.table)!r} has detections, not tracks: all ids are negative",
                "Run a tracker over them, and import what it writes",
            )
        file, least = sequence.table, self._min_confidence
        table = _without(table, table.is_ignored, "marked to be ignored", file, expected=True)
        table = _without(table, table.tracks < 0, "of no track", file)
        if least is not None:
            unsure = table.confidence < least  # not where it is unknown
            reason = f"of a confidence below {least:g}"
            table = _without(table, unsure, reason, file, expected=True)
        return _without(table, table.repeated(), "a second box of one track in one frame", file)


def _without(
    table: MotTable,
    is_unwanted: npt.NDArray[np.bool_],
    reason: str,
    file: Path,
    expected: bool = False,
) -> MotTable:
    """Leave rows of a file out, and tell it."""
    lines = [f"{file}:{line}" for line in table.lines[is_unwanted].tolist()]
    leave_out(lines, "rows", reason, total=len(table), expected=expected)
    return table.take(~is_unwanted)


def _told(value: float) -> str:
    """Return a number as text; nothing if it is unknown."""
    return "" if np.isnan(value) else f"{value:.10g}"


@dataclass(frozen=True)
class _Sequence:
    """A file of rows, and the folder that it belongs to."""

    name: str
    table: Path
    folder: Path

    @property
    def is_truth(self) -> bool | None:
        """Whether the rows are ground truth; None where their columns have to tell it."""
        return True if self.table.name == _TRUTH.name else None

    def places(self, has_others: bool) -> list[Path]:
        """Return where its frames may be; if there are others, they may share its folder."""
        is_alone = not has_others or self.name == self.folder.name
        places = usual_places(self.folder, self.name, is_alone)
        return [*places, *only_video(self.folder)] if is_alone else places

    def classes(self) -> dict[str, str]:
        """Return number of a class -> its name, line by line of ``labels.txt``, if it is there."""
        file = self.table.with_name("labels.txt")
        if not file.is_file():
            return {}
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        return {str(number): line.strip() for number, line in enumerate(lines, 1)}


def _sequences(source: Path) -> list[_Sequence]:
    if source.is_file():
        return [_of_file(source)] if is_mot(source) else []
    truths = [source / _TRUTH]
    for depth in range(1, _DEEPEST + 1):
        truths += sorted(source.glob("/".join(["*"] * depth + [_TRUTH.as_posix()])))
    there = [_of_file(truth) for truth in truths if truth.is_file()]
    if there or not source.is_dir():
        return there
    texts = sorted(path for path in source.glob("*.txt") if path.is_file())
    return [_of_file(path) for path in texts] if texts and all(map(is_mot, texts)) else []


def _of_file(table: Path) -> _Sequence:
    table = table.absolute()
    folder = table.parent.parent if table.parent.name == _TRUTH.parent.name else table.parent
    is_own = (folder / "seqinfo.ini").is_file() or (folder / "img1").is_dir()
    is_own |= table.name == _TRUTH.name
    return _Sequence(folder.name if is_own else table.stem, table, folder)


def _without_copies(sequences: Sequence[_Sequence]) -> list[_Sequence]:
    """Return sequences whose rows differ: MOT17 has each of its own three times."""
    by_rows: dict[bytes, _Sequence] = {}
    for sequence in sequences:
        by_rows.setdefault(hashlib.sha256(sequence.table.read_bytes()).digest(), sequence)
    kept = set(by_rows.values())
    copies = [sequence.name for sequence in sequences if sequence not in kept]
    leave_out(copies, "sequences", "their rows are those of another one")
    return [sequence for sequence in sequences if sequence in kept]
