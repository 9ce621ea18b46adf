"""Queries and gallery of a file of features, checked and numbered alike."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from reid_plugins_runs.feature_files.formats import Array, Columns, read_columns
from reid_plugins_runs.feature_files.identities import number_texts
from reid_plugins_runs.feature_files.names import PREFIX, SIDES, by_side, lacking, standard
from reidcore.data import first_names, leave_out
from reidcore.errors import DataError, counted, quoted

if TYPE_CHECKING:
    from reidcore.evaluation import Labels

_MODEL = ("model", "model_name", "weights", "checkpoint")
_FAR_APART = 20  # times: the lengths of one model's features are not


@dataclass(frozen=True, eq=False)
class Side:
    """The queries or the gallery, N items.

    Attributes:
        features: (N, D) numbers.
        pids: (N,) whole numbers.
        camids: (N,) whole numbers; None if the file knows no cameras.
        files: (N,) numbers that tell the image files apart; None if nothing tells them.
        paths: (N,) text; empty where the file has none.
        columns: further columns of N numbers, by name.
    """

    features: Array
    pids: Array
    camids: Array | None
    files: Array | None
    paths: npt.NDArray[np.str_]
    columns: Columns

    def __len__(self) -> int:
        return len(self.features)


@dataclass(frozen=True, eq=False)
class GivenFeatures:
    """Features from elsewhere.

    Attributes:
        path: the file.
        query: the queries.
        gallery: the gallery.
    """

    path: Path
    query: Side
    gallery: Side

    @property
    def has_cameras(self) -> bool:
        """Whether the file says which camera saw each item."""
        return self.query.camids is not None

    def without_cameras(self) -> GivenFeatures:
        """Return it with the queries all of one camera and the gallery of another.

        No gallery item is then of its query's camera.
        """
        query = replace(self.query, camids=np.zeros(len(self.query), dtype=np.int64))
        gallery = replace(self.gallery, camids=np.ones(len(self.gallery), dtype=np.int64))
        return replace(self, query=query, gallery=gallery)

    def require_directions(self) -> None:
        """Refuse features of length zero, which no angle tells from others.

        Raises:
            DataError: naming their images.
        """
        for side, items in (("query", self.query), ("gallery", self.gallery)):
            zero = np.flatnonzero(~items.features.any(axis=1))
            if len(zero):
                names = items.paths[zero[:3]] if items.paths.all() else zero[:3]
                raise DataError(
                    f"{len(zero):,} of {counted(len(items), 'feature')} of the {side} of "
                    f"{str(self.path)!r} are zero: {first_names(names.tolist(), len(zero))}",
                    "They have no direction to be compared: look for images that failed, or "
                    "compare by the euclidean metric without scaling.",
                )

    def require_one_scale(self) -> None:
        """Refuse sides whose lengths are orders apart, as those of two models may be.

        Angles do not depend on them; distances do.

        Raises:
            DataError: telling both.
        """
        sides = (self.query.features, self.gallery.features)
        squares = [np.einsum("nd,nd->n", each, each, dtype=np.float64) for each in sides]
        lengths = [float(np.sqrt(np.median(each))) for each in squares]
        if max(lengths) > _FAR_APART * min(lengths) > 0:
            raise DataError(
                f"the query features of {str(self.path)!r} have the median length {lengths[0]:.3g},"
                f" those of the gallery {lengths[1]:.3g}",
                "Extract both with one model, in the same way, or compare their directions alone: "
                "--metric cosine, or --normalize.",
            )

    def labels(self) -> Labels:
        """Return the labels as protocols take them.

        Raises:
            UserError: if identities or cameras are no whole numbers of 64 bits.
        """
        from reidcore.evaluation import Labels

        query, gallery = self.query, self.gallery
        unknown = np.zeros(0)
        return Labels(
            query.pids,
            gallery.pids,
            unknown if query.camids is None else query.camids,
            unknown if gallery.camids is None else gallery.camids,
            query.columns,
            gallery.columns,
            query.files,
            gallery.files,
        )


def read_features(path: Path, labels: Path | None = None) -> GivenFeatures:
    """Read features and their labels.

    Args:
        path: an npz, npy, CSV or parquet file.
        labels: a table of the labels, if they are in another file. Its rows are found by the paths
            where both files have them, and are else in the order of the features.

    Raises:
        UserError: if a file is missing, damaged or lacks something, or the two do not fit.
    """
    columns = read_columns(path)
    if labels is None and path.suffix.lower() == ".npy":
        labels = path.with_suffix(".csv")
        if not labels.is_file():
            raise DataError(
                f"{str(path)!r} has features alone",
                "Give the table of their labels: --labels FILE.",
            )
    if labels is not None:
        columns = _joined(columns, read_columns(labels), path, labels)
    table = labels or path
    sides = by_side(columns, table)
    for side, found in sides.items():
        _check_present(found, side, columns, table)
        _check_side(found, side, path)
    _check_one_model(sides, path)
    number_texts(sides, table)
    query, gallery = (_as_side(sides[side]) for side in SIDES)
    return GivenFeatures(path, query, gallery)


def _joined(features: Columns, labels: Columns, path: Path, table: Path) -> Columns:
    """Return the columns of both files, with the labels in the order of the features."""
    features, labels = standard(features, path), standard(labels, table)
    if "feature" not in features:
        raise lacking(path, "features", "features", features, "Beside --labels it is one table.")
    count, rows = len(features["feature"]), {len(values) for values in labels.values()}
    if "path" in features and "path" in labels:
        order = _order(features["path"], labels["path"], path, table)
        labels = {name: values[order] for name, values in labels.items()}
    elif rows != {count}:
        raise DataError(
            f"{str(path)!r} has {counted(count, 'feature')}, {str(table)!r} "
            f"{counted(max(rows), 'row')}",
            "Each row is the label of one feature, in their order.",
        )
    return {**features, **labels}


def _order(wanted: Array, there: Array, path: Path, table: Path) -> npt.NDArray[np.int64]:
    places = {name: row for row, name in enumerate(there.tolist())}
    missing = [name for name in wanted.tolist() if name not in places]
    if missing:
        raise DataError(
            f"{counted(len(missing), 'path')} of {str(path)!r} are not in {str(table)!r}, such as "
            f"{quoted(missing[0])}",
            f"Paths must be spelled alike: there they are such as {quoted(there[0].item())}.",
        )
    return np.array([places[name] for name in wanted.tolist()], dtype=np.int64)


def _check_present(found: Columns, side: str, columns: Columns, path: Path) -> None:
    """Refuse a side without features or identities, naming what the file calls its columns."""
    for role in ("feature", "pid"):
        if role in found:
            continue
        if "row" in found:  # one table, whose rows are numbered
            further = " Or evaluate the .npy file beside it." if path.suffix == ".csv" else ""
            hint = "Call them f0, f1, ..." + further if role == "feature" else "Call them pid."
            raise lacking(path, f"{role}s", role, columns, hint)
        name = f"{side}_features" if role == "feature" else f"{PREFIX[side]}_pids"
        raise lacking(path, f"{role}s of the {side}", name, columns, f"Call them {name}.")


def _check_side(found: Columns, side: str, path: Path) -> None:
    """Refuse features of no use, and columns of a side that differ in length."""
    features = found["feature"]
    if features.ndim != 2:
        raise DataError(
            f"the {side} features of {str(path)!r} have the shape {features.shape}",
            "They must be (items, dimensions): one row of numbers for each image.",
        )
    if not features.size:
        raise DataError(f"the {side} of {str(path)!r} is empty", "It needs at least one item.")
    _check_finite(found, side, path)
    for name in [name for name in found if name not in _MODEL]:
        values = found[name]
        if values.shape[:1] == features.shape[:1] and (values.ndim == 1 or name == "feature"):
            continue
        if name in ("pid", "camid", "path"):
            raise DataError(
                f"the {side} of {str(path)!r} has {counted(len(features), 'feature')}, but its "
                f"{name}s are of shape {values.shape}",
                "Each item needs one.",
            )
        leave_out([name], f"columns of the {side}", f"of shape {values.shape}, not one an item")
        del found[name]


def _check_finite(found: Columns, side: str, path: Path) -> None:
    """Refuse features that are no real numbers, or not finite, naming their images."""
    features = found["feature"]
    if features.dtype.kind not in "iuf":
        raise DataError(
            f"the {side} features of {str(path)!r} are {features.dtype}", "Give real numbers."
        )
    bad = np.flatnonzero(~np.isfinite(features).all(axis=1))
    if len(bad):
        names = found["path"] if "path" in found else np.arange(len(features))
        raise DataError(
            f"{len(bad):,} of {counted(len(features), 'feature')} of the {side} of {str(path)!r} "
            f"are NaN or infinite: {first_names(names[bad[:3]].tolist(), len(bad))}",
            "Look for a diverged training or a division by zero in the feature extraction.",
        )


def _check_one_model(sides: dict[str, Columns], path: Path) -> None:
    """Refuse features that are told to come from several models."""
    named: dict[str, None] = {}
    for found in sides.values():
        for name in [name for name in found if name.casefold() in _MODEL]:
            named |= dict.fromkeys(map(str, np.unique(found.pop(name)).tolist()))
    if len(named) > 1:
        raise DataError(
            f"the features of {str(path)!r} are of several models: {', '.join(map(repr, named))}",
            "Distances between features of two models mean nothing: extract all with one.",
        )


def _as_side(found: Columns) -> Side:
    count = len(found["feature"])
    paths = found.get("path", np.full(count, "")).astype(np.str_)
    own = ("feature", "pid", "camid", "path", "row", "file")
    return Side(
        found["feature"],
        found["pid"],
        found.get("camid"),
        found.get("file", found.get("row")),
        paths,
        {name: values for name, values in found.items() if name not in own},
    )
