"""A source becomes a dataset: a folder with ``images/``, ``labels.csv`` and ``import.json``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from reid_plugins_own_data.crop import Crop
from reid_plugins_own_data.importing.choice import Chosen
from reid_plugins_own_data.importing.cutting import write_crops
from reid_plugins_own_data.importing.files import ImageFiles
from reid_plugins_own_data.importing.labels import labelled
from reid_plugins_own_data.importing.selection import Selection
from reid_plugins_own_data.importing.table import LABELS, Row, counts_of, write_table
from reidcore import __version__
from reidcore.data import LeftOut, noting_left_out
from reidcore.errors import DataError
from reidcore.utils import atomic_folder, partial_folder, write_json

RECORD = "import.json"
"""What a dataset was made from."""

Advance = Callable[[int], None]
Progress = Callable[[int], AbstractContextManager[Advance]]
"""Given how many crops there are, a context in which it is told of each that is done."""


@dataclass(frozen=True)
class Wishes:
    """How a source is imported.

    Attributes:
        options: of the importer.
        selection: which crops.
        margin: share of a box's width and height that is added on each side.
        camera: the camera of all crops; empty for each crop's own, or its sequence.
        shared_ids: whether a track number means the same identity in all sequences.
        ending: of the files of crops that are cut.
        links: whether files that are not cut are linked.
    """

    options: Mapping[str, Any] = field(default_factory=dict)
    selection: Selection = field(default_factory=Selection)
    margin: float = 0.0
    camera: str = ""
    shared_ids: bool = False
    ending: str = ".jpg"
    links: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return what JSON can hold: all but the importer's own options."""
        selection = self.selection
        return {
            "every": selection.every,
            "max_per_track": selection.max_per_track,
            "min_size": list(selection.min_size),
            "min_visibility": selection.min_visibility,
            "classes": list(selection.classes),
            "margin": self.margin,
            "camera": self.camera,
            "shared_ids": self.shared_ids,
            "files": self.ending.removeprefix("."),
        }


class Imported(NamedTuple):
    """What was imported.

    Attributes:
        folder: the dataset.
        rows: its images.
        left_out: what of the source is not in it.
        record: what ``import.json`` holds.
    """

    folder: Path
    rows: list[Row]
    left_out: list[LeftOut]
    record: dict[str, Any]


def import_dataset(
    source: Path,
    target: Path,
    chosen: Chosen,
    wishes: Wishes,
    *,
    overwrite: bool = False,
    progress: Progress = lambda total: nullcontext(lambda count: None),
) -> Imported:
    """Write a dataset of the crops of a source; the folder is written whole or not at all.

    Args:
        source: a file or folder.
        target: folder for the dataset; new or empty, or that of an earlier import.
        chosen: the importer.
        wishes: which crops, and how they are cut.
        overwrite: whether an earlier import is replaced, once the new one is whole.
        progress: shows how far it is.

    Raises:
        UserError: the target holds something, or cannot be written.
        DataError: the source cannot be read, or nothing of it is left.
    """
    check_target(source, target, overwrite)
    with _written(target) as partial:
        with noting_left_out(str(source)) as left_out:
            crops = wishes.selection.of(_crops_of(source, chosen))
            labels = labelled(crops, wishes.camera, wishes.shared_ids)
            files = ImageFiles(partial, wishes.ending, wishes.links)
            with progress(len(labels)) as advance:
                least = wishes.selection.min_size
                rows = write_crops(labels, files, wishes.margin, least, advance)
        if not rows:
            reasons = "; ".join(map(str, left_out)) or f"{chosen.entry.label} gives no crops"
            raise DataError(f"nothing of {str(source)!r} is left to import: {reasons}")
        write_table(rows, partial / LABELS)
        record = _record(source, chosen, wishes, rows, left_out)
        write_json(record, partial / RECORD)
    return Imported(target, rows, left_out, record)


def check_target(source: Path, target: Path, overwrite: bool) -> None:
    """Make sure that a folder may be written.

    Raises:
        DataError: it lies in the source or the source in it, it is where the user is, or it holds
            something.
    """
    inner, outer = target.resolve(), source.resolve()
    if inner == outer or inner in outer.parents or outer in inner.parents:
        raise DataError(
            f"{str(target)!r} and the source {str(source)!r} lie in one another",
            "Name a folder elsewhere",
        )
    if inner in (here := Path.cwd(), *here.parents):
        raise DataError(
            f"{str(target)!r} is the folder that you are in, whose place a new one would take",
            "Name a folder that is not there yet",
        )
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return
    if not (target / RECORD).is_file():
        raise DataError(
            f"{str(target)!r} is there, and is no imported dataset", "Name a new folder"
        )
    if not overwrite:
        raise DataError(
            f"{str(target)!r} holds an imported dataset",
            "Name a new folder, or replace it: --overwrite",
        )


@contextmanager
def _written(target: Path) -> Iterator[Path]:
    """Yield a folder that takes the target's place, and that of an earlier import, when whole."""
    if not (target / RECORD).is_file():
        with atomic_folder(target) as partial:
            yield partial
        return
    fresh = target.with_name(f"{target.name}.new")
    with atomic_folder(fresh) as partial:
        yield partial
    with partial_folder(target) as away:
        target.rename(away / "earlier")
        fresh.rename(target)


def _crops_of(source: Path, chosen: Chosen) -> Iterator[Crop]:
    try:
        for crop in chosen.importer.crops(source):
            if not isinstance(crop, Crop):
                raise chosen.entry.defect(crop, "a Crop of each picture", "crops")
            if not isinstance(crop.pid, str) or not isinstance(crop.track, str):
                raise chosen.entry.defect(crop.pid, "text as a Crop's pid and track", "crops")
            yield crop
    except OSError as error:
        what = f"cannot read {error.filename or str(source)!r}: {error.strerror or error}"
        raise DataError(what, "Check who may read it") from error


def _record(
    source: Path, chosen: Chosen, wishes: Wishes, rows: list[Row], left_out: list[LeftOut]
) -> dict[str, Any]:
    return {
        "version": 1,
        "reidcore": __version__,
        "source": str(source.resolve()),
        "format": chosen.entry.name,
        "plugin": chosen.entry.plugin,
        "recognised_by": chosen.reason,
        "format_options": dict(wishes.options),
        "options": wishes.as_dict(),
        "counts": counts_of(rows),
        "left_out": [each.as_dict() for each in left_out],
    }
