"""Tracks in the form of MOTChallenge: rows ``frame, id, left, top, width, height, ...``."""

from __future__ import annotations

import configparser
import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from reid_plugins_own_data.crop import Crop, Recognised
from reid_plugins_own_data.formats.frames import below, find_frames, frames_by_number, videos_in
from reid_plugins_own_data.videos import VIDEOS
from reidcore.data import JUNK_PID, leave_out
from reidcore.errors import DataError, counted

_TRUTH = Path("gt", "gt.txt")
_FEWEST, _MOST = 6, 10
_TRUTH_WIDTH, _WORLD_WIDTH = 9, 10  # ground truth; boxes with a place in the world, of no class
_DEEPEST = 2
_FIRST_FRAME = 1
_SHOWN = 3


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
        sequences = _sequences(source)
        if not sequences:
            raise DataError(
                f"no sequence with {_TRUTH}, nor a file of rows of frame, id and box, in "
                f"{str(source)!r}",
                "Name the file of the rows, and frames=FOLDER or frames=VIDEO",
            )
        for sequence in _without_copies(sequences):
            yield from self._crops_of(sequence, len(sequences) > 1)

    def _crops_of(self, sequence: _Sequence, has_others: bool) -> Iterator[Crop]:
        rows = self._wanted(_rows(sequence.table), sequence.table)
        place = find_frames(self._frames, sequence.name, sequence.places(), has_others)
        numbers = {row.frame for row in rows}
        pictures = frames_by_number(place, numbers, _FIRST_FRAME, self._first_frame)
        lost = [f"{sequence.name}, frame {number}" for number in sorted(numbers - pictures.keys())]
        leave_out(lost, "frames", f"annotated, and not in {str(place)!r}")
        classes = sequence.classes()
        for row in rows:
            if row.frame in pictures:
                yield Crop(
                    pictures[row.frame],
                    box=(
                        row.left - self._first_pixel,
                        row.top - self._first_pixel,
                        row.width,
                        row.height,
                    ),
                    category=classes.get(row.category, row.category),
                    sequence=sequence.name,
                    frame=row.frame,
                    track=str(row.track),
                    visibility=row.visibility,
                    further={} if row.confidence is None else {"confidence": row.confidence},
                )

    def _wanted(self, rows: Sequence[_Row], table: Path) -> list[_Row]:
        if rows and all(row.track == JUNK_PID for row in rows):
            raise DataError(
                f"{str(table)!r} has detections, not tracks: all ids are {JUNK_PID}",
                "Run a tracker over them, and import what it writes",
            )
        unwanted: dict[str, list[str]] = defaultdict(list)
        wanted = []
        for row in rows:
            if reason := row.reason_against(self._min_confidence):
                unwanted[reason].append(f"{table}, frame {row.frame}, id {row.track}")
            else:
                wanted.append(row)
        for reason, names in unwanted.items():
            leave_out(names, "rows", reason, expected=True)
        return wanted


@dataclass(frozen=True)
class _Sequence:
    """A file of rows, and the folder that it belongs to."""

    name: str
    table: Path
    folder: Path

    def places(self) -> list[Path]:
        """Return where its frames may be."""
        return [
            self._image_folder(),
            self.folder / "images",
            self.folder / "frames",
            *(self.folder / f"{self.name}{ending}" for ending in VIDEOS),
            *(self.folder.parent / f"{self.name}{ending}" for ending in VIDEOS),
            *(videos_in(self.folder) if len(videos_in(self.folder)) == 1 else ()),
        ]

    def classes(self) -> dict[str, str]:
        """Return number of a class -> its name, line by line of ``labels.txt``, if it is there."""
        file = self.table.with_name("labels.txt")
        if not file.is_file():
            return {}
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        return {str(number): line.strip() for number, line in enumerate(lines, 1)}

    def _image_folder(self) -> Path:
        file = self.folder / "seqinfo.ini"
        info = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            info.read(file, encoding="utf-8-sig")
        except (configparser.Error, UnicodeError) as error:
            raise DataError(f"{str(file)!r} cannot be read ({error})", "Correct it") from error
        return below(self.folder, info.get("Sequence", "imDir", fallback="img1"), file)


class _Row(NamedTuple):
    """A box; what the file does not say is empty or None."""

    frame: int
    track: int
    left: float
    top: float
    width: float
    height: float
    category: str = ""
    visibility: float | None = None
    confidence: str | None = None
    is_ignored: bool = False

    def reason_against(self, min_confidence: float | None) -> str:
        """Return why the row is not wanted; nothing if it is."""
        if self.is_ignored:
            return "marked to be ignored"
        if min_confidence is None or self.confidence is None:
            return ""
        is_unsure = float(self.confidence) < min_confidence
        return f"of a confidence below {min_confidence:g}" if is_unsure else ""


def _sequences(source: Path) -> list[_Sequence]:
    if source.is_file():
        return [_of_file(source)] if _has_rows(source) else []
    truths = [source / _TRUTH]
    for depth in range(1, _DEEPEST + 1):
        truths += sorted(source.glob("/".join(["*"] * depth + [_TRUTH.as_posix()])))
    there = [_of_file(truth) for truth in truths if truth.is_file()]
    if there or not source.is_dir():
        return there
    texts = sorted(path for path in source.glob("*.txt") if path.is_file())
    return [_of_file(path) for path in texts] if texts and all(map(_has_rows, texts)) else []


def _of_file(table: Path) -> _Sequence:
    table = table.absolute()
    folder = table.parent.parent if table.parent.name == _TRUTH.parent.name else table.parent
    is_own = (folder / "seqinfo.ini").is_file() or (folder / "img1").is_dir()
    is_own |= table.name == _TRUTH.name
    return _Sequence(folder.name if is_own else table.stem, table, folder)


def _has_rows(file: Path) -> bool:
    if file.suffix.lower() not in (".txt", ".csv"):
        return False
    with file.open(encoding="utf-8", errors="replace") as opened:
        first = next(filter(_says_something, opened), "")
    try:
        _row(_fields(first[:1000]))
    except (ValueError, OverflowError):
        return False
    return True


def _without_copies(sequences: Sequence[_Sequence]) -> list[_Sequence]:
    """Return sequences whose rows differ: MOT17 has each of its own three times."""
    by_rows: dict[bytes, _Sequence] = {}
    for sequence in sequences:
        by_rows.setdefault(hashlib.sha256(sequence.table.read_bytes()).digest(), sequence)
    kept = set(by_rows.values())
    copies = [sequence.name for sequence in sequences if sequence not in kept]
    leave_out(copies, "sequences", "their rows are those of another one")
    return [sequence for sequence in sequences if sequence in kept]


def _rows(table: Path) -> list[_Row]:
    rows, faults = [], []
    with table.open(encoding="utf-8-sig", errors="replace") as opened:
        for number, line in enumerate(opened, 1):
            if _says_something(line):
                try:
                    rows.append(_row(_fields(line)))
                except (ValueError, OverflowError) as error:
                    faults.append(f"line {number}: {error}")
    if faults:
        raise DataError(
            f"{counted(len(faults), 'row')} of {str(table)!r} cannot be read: "
            f"{'; '.join(faults[:_SHOWN])}",
            "A row is frame, id, left, top, width, height, and perhaps confidence, class, "
            "visibility",
        )
    return rows


def _says_something(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _fields(line: str) -> list[str]:
    return [field for field in re.split(r"[,;\s]+", line.strip()) if field]


def _row(fields: Sequence[str]) -> _Row:
    """Return what a row says.

    Raises:
        ValueError: it is of another form.
    """
    if not _FEWEST <= len(fields) <= _MOST:
        raise ValueError(f"{len(fields)} fields, not {_FEWEST} to {_MOST}")
    frame, track, *box = map(float, fields[:_FEWEST])
    if frame != int(frame) or track != int(track):
        raise ValueError("frame and id are whole numbers")
    left, top, width, height = box
    confidence, category, visibility = "", "", None
    if len(fields) > _FEWEST:
        confidence = fields[_FEWEST]
        float(confidence)
    if _FEWEST + 1 < len(fields) < _WORLD_WIDTH and (number := float(fields[_FEWEST + 1])) >= 0:
        category = f"{number:g}"
    if len(fields) == _TRUTH_WIDTH and (share := float(fields[-1])) >= 0:
        visibility = share
    is_truth = len(fields) == _TRUTH_WIDTH and visibility is not None
    return _Row(
        int(frame),
        int(track),
        left,
        top,
        width,
        height,
        category,
        visibility,
        None if is_truth or not confidence else confidence,
        is_truth and float(confidence) == 0,
    )
