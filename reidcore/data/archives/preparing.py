"""Official archives to folders that the readers find, only when asked."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import NamedTuple

from reidcore._files import mkdir_if_missing
from reidcore.data.archives.download import check_sha256, fetch
from reidcore.data.archives.unpacking import Contents, check_expansion, contents_of, unpack
from reidcore.data.card import Archive, DatasetCard
from reidcore.errors import DataError, UserError

Advance = Callable[[int], None]
Progress = Callable[[str, int], AbstractContextManager[Advance]]
"""Shows how far something is: what is done, and how much there is of it; 0 if nobody knows."""


class Prepared(NamedTuple):
    """What became of one archive.

    Attributes:
        archive: the archive.
        state: ``unpacked``, ``there already``, or ``not found``.
        contents: what it holds, if it was found.
    """

    archive: Archive
    state: str
    contents: Contents | None = None


def prepare_dataset(
    card: DatasetCard,
    root: Path,
    accept: bool = False,
    progress: Progress = lambda doing, total: nullcontext(lambda count: None),
) -> list[Prepared]:
    """Fetch and unpack the archives of a dataset that are not unpacked yet.

    An archive is looked for in the root and in the dataset's folder. What it holds is unpacked
    into a temporary folder first and moved when it is whole; what lies there already is left alone.

    Args:
        card: What is known about the dataset.
        root: Folder below which the datasets lie.
        accept: Whether a dataset that its authors withdrew is wanted all the same.
        progress: Shows how far it is.

    Raises:
        UserError: The dataset was withdrawn, and that is not accepted.
        DataError: No archive is there and none can be fetched, or one is damaged or unsafe.
    """
    if card.withdrawn and not accept:
        raise UserError(
            f"{card.title} was withdrawn: {card.withdrawn}",
            "To prepare it all the same, from an archive that you may have, say --accept",
        )
    if not card.archives:
        raise DataError(
            f"{card.title} is handed out in no archive that is known",
            f"Source: {card.source}\nExpected below {str(root)!r}:\n{card.layout}",
        )
    done = [_prepare(card, archive, root, progress) for archive in card.archives]
    if all(each.state == "not found" for each in done) and not (root / card.folder).is_dir():
        names = " or ".join(repr(archive.filename) for archive in card.archives)
        raise DataError(
            f"{card.title}: {names} is not in {str(root)!r}, nor in the folder {card.folder!r} "
            "below it, and has no address to be fetched from",
            f"Get it from {card.source}\nLicence: {card.licence}",
        )
    return done


def _prepare(card: DatasetCard, archive: Archive, root: Path, progress: Progress) -> Prepared:
    target = root / archive.unpacks_to
    file = _found(card, archive, root)
    if file is None and archive.url:
        file = root / archive.filename
        mkdir_if_missing(root)
        fetch(f"{card.title}: {archive.filename}", archive.url, file)
    if file is None:
        return Prepared(archive, "not found")
    check_sha256(file, archive.sha256)
    contents = contents_of(file)
    if all((target / name).exists() for name in contents.tops):
        return Prepared(archive, "there already", contents)
    check_expansion(file, contents, target)
    with progress(f"unpacking {archive.filename}", contents.size) as advance:
        _unpack_whole(file, target, advance)
    return Prepared(archive, "unpacked", contents)


def _found(card: DatasetCard, archive: Archive, root: Path) -> Path | None:
    places = (root, root / card.folder, root / archive.unpacks_to)
    files = (place / archive.filename for place in places)
    return next((file for file in files if file.is_file()), None)


def _unpack_whole(file: Path, target: Path, advance: Advance) -> None:
    """Unpack beside the target, then move each top entry to its place."""
    mkdir_if_missing(target)
    with tempfile.TemporaryDirectory(dir=target, prefix=".unpacking.") as temporary:
        unpack(file, Path(temporary), advance)
        for entry in sorted(Path(temporary).iterdir()):
            if not (target / entry.name).exists():
                entry.rename(target / entry.name)
