"""Features of a file, in place of a model's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from reid_plugins_runs.feature_files import GivenFeatures, read_columns, read_features, standard

from reid_plugins_calibration.images import Codes, Items, make_items
from reid_plugins_calibration.sources import tracks_of
from reidcore.errors import DataError, counted

_TELL_SIDES = ("split", "is_query", "is_gallery")


def items_in(
    path: Path, labels: Path | None = None, across: bool | None = None, seed: int = 0
) -> Items:
    """Return the images of a file of features.

    Args:
        path: an npz, npy, CSV or parquet file, as ``reidcore evaluate`` takes it, or one with
            ``features``, ``pids`` and, where they are known, ``camids`` and ``tracks`` alone.
        labels: a table of the labels, if they are in another file.
        across: see `make_items`.
        seed: see `make_items`.

    Raises:
        DataError: if the file lacks something, or features cannot be compared.
    """
    if labels is None and path.suffix.lower() != ".npy":
        columns = standard(read_columns(path), path)
        if {"feature", "pid"} <= columns.keys() and not {*_TELL_SIDES} & columns.keys():
            return _of_table(columns, path, across, seed)
    return _of_sides(read_features(path, labels), across, seed)


def _of_table(
    columns: dict[str, npt.NDArray[np.generic]], path: Path, across: bool | None, seed: int
) -> Items:
    """Return the images of a file that has no queries and gallery."""
    features = columns["feature"]
    if features.dtype.kind not in "iuf":
        raise DataError(f"the features of {str(path)!r} are {features.dtype}", "Give real numbers.")
    count = len(features)
    for name in ("pid", "camid", "path"):
        if name in columns and columns[name].shape != (count,):
            raise DataError(
                f"{str(path)!r} has {counted(count, 'feature')}, but its {name}s are of shape "
                f"{columns[name].shape}",
                "Each item needs one.",
            )
    pids = _numbers(columns["pid"], "pids", path)
    camids = _numbers(columns["camid"], "camids", path) if "camid" in columns else pids * 0
    names = columns["path"].astype(np.str_).tolist() if "path" in columns else None
    further = {name: values for name, values in columns.items() if values.shape == (count,)}
    return make_items(
        features.astype(np.float32),
        pids,
        camids,
        tracks=tracks_of(further, pids, camids),
        across=across,
        names=names,
        seed=seed,
    )


def _of_sides(given: GivenFeatures, across: bool | None, seed: int) -> Items:
    """Return queries and gallery together; an image that is on both sides counts once."""
    query, gallery = given.query, given.gallery
    if query.features.shape[1] != gallery.features.shape[1]:
        raise DataError(
            f"the query features of {str(given.path)!r} have {query.features.shape[1]} dimensions, "
            f"those of the gallery {gallery.features.shape[1]}",
            "Extract both with one model.",
        )
    pids = np.concatenate([query.pids, gallery.pids]).astype(np.int64)
    camids = pids * 0
    if query.camids is not None and gallery.camids is not None:
        camids = np.concatenate([query.camids, gallery.camids]).astype(np.int64)
    kept = pids >= 0
    if query.files is not None and gallery.files is not None:
        files = np.concatenate([query.files, gallery.files])
        first = np.zeros(len(files), bool)
        first[np.unique(files, return_index=True)[1]] = True
        kept &= first
    shared = query.columns.keys() & gallery.columns.keys()
    columns = {
        name: np.concatenate([query.columns[name], gallery.columns[name]]) for name in shared
    }
    tracks = tracks_of(columns, pids, camids)
    features = np.concatenate([query.features, gallery.features]).astype(np.float32)
    paths = np.concatenate([query.paths, gallery.paths])
    return make_items(
        features[kept],
        pids[kept],
        camids[kept],
        tracks=None if tracks is None else tracks[kept],
        searched=np.unique(query.pids),
        across=across,
        names=paths[kept].tolist() if paths.all() else None,
        seed=seed,
    )


def _numbers(values: npt.NDArray[np.generic], name: str, path: Path) -> Codes:
    """Return labels as numbers, negative where they were; texts are numbered."""
    if values.dtype.kind in "iu":
        return values.astype(np.int64)
    is_missing = (
        np.isnan(values.astype(np.float64))
        if values.dtype.kind == "f"
        else np.char.strip(values.astype(np.str_)) == ""
    )
    if is_missing.any():
        missing = np.flatnonzero(is_missing)
        raise DataError(
            f"{len(missing):,} of the {name} of {str(path)!r} are missing, the first in row "
            f"{missing[0]}",
            "Give each item one, or leave the item out.",
        )
    numbers: Codes = np.unique(values, return_inverse=True)[1].reshape(-1)
    return numbers
