r"""Anyone's own dataset: train, query and gallery folders, read by a pattern, without code."""

from __future__ import annotations

import os
from pathlib import Path

from reid_plugins_datasets.own.beside import tell_beside
from reid_plugins_datasets.own.layouts import recognise
from reidcore.data import MARKET_PATTERN, Splits, from_folders
from reidcore.errors import DataError


def folder(
    root: str | os.PathLike[str],
    *,
    train: str = "train",
    query: str = "query",
    gallery: str = "gallery",
    pattern: str = MARKET_PATTERN,
) -> Splits:
    r"""Read the images below three folders; a set may be absent.

    Without ``query`` and ``gallery`` the dataset serves for training only, without ``train`` for
    testing only. Images of identity -1, and those whose name does not match, are left out and told;
    so are images and folders of images beside the three folders.

    Args:
        root: folder that holds the three folders.
        train: name of the training folder.
        query: name of the folder of queries.
        gallery: name of the folder of images to search in.
        pattern: regular expression with the group ``pid`` and, where cameras are known, ``camid``:
            numbers or, where any is no number, names. Without a slash it is searched in the file
            name; with one, in the path below the set's folder: ``(?P<pid>\d+)/c(?P<camid>\d+)_``
            reads ``train/0012/c3_0001.jpg``.

    Raises:
        DataError: no set is there, one of query and gallery is missing, or the pattern does not
            fit.
    """
    names = {"train": train, "query": query, "gallery": gallery}
    try:
        return _read(Path(root), names, pattern)
    except DataError as error:
        layout = recognise(Path(root))
        if layout is None or layout.options.items() <= {**names, "pattern": pattern}.items():
            raise
        hint = f"{layout.words()} reads it: {layout.example}. {error.hint}"
        raise DataError(error.what, hint.rstrip()) from error


def _read(root: Path, names: dict[str, str], pattern: str) -> Splits:
    present = {key: name for key, name in names.items() if name and (root / name).is_dir()}
    _check_present(root, names, present)
    train_folder, query_folder, gallery_folder = (present.get(key) for key in names)
    tell_beside(root, [root / name for name in present.values()])
    return from_folders(root, train_folder, query_folder, gallery_folder, pattern)


def _check_present(root: Path, names: dict[str, str], present: dict[str, str]) -> None:
    half = ("query" in present) != ("gallery" in present)
    if present and not half:
        return
    expected = ", ".join(f"{name}/" for name in names.values() if name)
    lacking = [name for key, name in names.items() if key not in present]
    if half:
        lacking = [names[key] for key in ("query", "gallery") if key not in present]
    raise DataError(
        f"the folder dataset has no {' and no '.join(repr(str(root / n)) for n in lacking)}",
        f"Expected {expected} below {root}: train alone, query and gallery alone, or all three. "
        "Other names are given by the options train, query and gallery.",
    )
