"""The images whose pairs are compared: unit features, identities, cameras and tracks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from reidcore.data import first_names
from reidcore.errors import DataError, counted

Features = npt.NDArray[np.float32]
Codes = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

FOLDS = 5


@dataclass(frozen=True, eq=False)
class Items:
    """N images of I identities, those of a fold one after the other, and of an identity too.

    Attributes:
        features: (N, D) of unit length.
        identities: (N,) numbers 0..I-1, ascending.
        cameras: (N,) numbers.
        tracks: (N,) numbers of the tracks that the images were cut from; None if not known.
        folds: (I,) in which fold each identity is, ascending.
        searched: (I,) whose images are matches of one another; others, such as a gallery's
            distractors, may be of several people under one number, and are compared with those of
            other identities alone.
        across: whether only images of different cameras are compared.
    """

    features: Features
    identities: Codes
    cameras: Codes
    tracks: Codes | None
    folds: Codes
    searched: Mask
    across: bool

    def __len__(self) -> int:
        return len(self.features)

    @property
    def num_identities(self) -> int:
        """Number I of identities, some of which may have no image here."""
        return len(self.folds)

    def of_cameras(self, a: int, b: int) -> Items:
        """Return the images of two cameras, compared across them, or of one, compared within."""
        rows = np.flatnonzero((self.cameras == a) | (self.cameras == b))
        tracks = None if self.tracks is None else self.tracks[rows]
        return replace(
            self,
            features=self.features[rows],
            identities=self.identities[rows],
            cameras=self.cameras[rows],
            tracks=tracks,
            across=a != b,
        )


def make_items(
    features: npt.NDArray[np.floating],
    pids: Codes,
    camids: Codes,
    *,
    tracks: Codes | None = None,
    searched: npt.NDArray[np.integer] | None = None,
    across: bool | None = None,
    names: Sequence[str] | None = None,
    seed: int = 0,
) -> Items:
    """Check features and labels, and put them in the order of folds and identities.

    Args:
        features: (N, D) of any length but zero.
        pids: (N,) identities.
        camids: (N,) cameras.
        tracks: (N,) tracks; images of one are never compared.
        searched: the identities whose images match one another; all by default.
        across: whether only images of different cameras are compared; by default where there are
            several.
        names: what the images are called in messages; their numbers by default.
        seed: of the folds, to which identities are dealt at random.

    Raises:
        DataError: if the lengths differ, a feature is zero or not finite, or ``across`` is asked of
            one camera.
    """
    _check_lengths(features, pids, camids, tracks)
    unit = _as_units(np.asarray(features), names)
    people, numbers = np.unique(pids, return_inverse=True)
    cameras = np.unique(camids)
    if across and len(cameras) < 2:
        raise DataError(
            "all images are of one camera, and pairs across cameras were asked for",
            "Leave --across-cameras out: pairs of one camera are then compared.",
        )
    # Fold by fold, and the identities within one in their own order.
    fold_of = np.random.default_rng(seed).permutation(len(people)) % FOLDS
    order = np.argsort(fold_of, kind="stable")
    new = np.empty_like(order)
    new[order] = np.arange(len(order))
    identities = new[numbers.reshape(-1)]
    rows = np.argsort(identities, kind="stable")
    is_searched = np.ones(len(people), bool) if searched is None else np.isin(people, searched)
    return Items(
        unit[rows],
        identities[rows],
        np.asarray(camids)[rows],
        None if tracks is None else np.asarray(tracks)[rows],
        fold_of[order],
        is_searched[order],
        len(cameras) > 1 if across is None else across,
    )


def _check_lengths(
    features: npt.NDArray[np.floating], pids: Codes, camids: Codes, tracks: Codes | None
) -> None:
    if features.ndim != 2 or not features.size:
        raise DataError(
            f"the features have the shape {features.shape}",
            "They must be (images, dimensions), with one row of numbers for each image.",
        )
    given = {"pids": pids, "camids": camids, **({} if tracks is None else {"tracks": tracks})}
    for name, values in given.items():
        if len(values) != len(features):
            raise DataError(
                f"there are {counted(len(features), 'feature')} and {len(values):,} {name}",
                "Each image needs one of each.",
            )


def _as_units(features: npt.NDArray[np.floating], names: Sequence[str] | None) -> Features:
    """Return features of unit length; refuse those that have no direction, naming the images."""
    _refuse(~np.isfinite(features).all(axis=1), "NaN or infinite", names)
    lengths = np.linalg.norm(features.astype(np.float64), axis=1, keepdims=True)
    _refuse(lengths[:, 0] == 0, "zero", names)
    unit: Features = (features / lengths).astype(np.float32)
    return unit


def _refuse(bad: Mask, what: str, names: Sequence[str] | None) -> None:
    rows = np.flatnonzero(bad)
    if len(rows):
        listed = [f"row {row}" if names is None else names[row] for row in rows[:3]]
        raise DataError(
            f"{len(rows):,} of {counted(len(bad), 'feature')} are {what}: "
            f"{first_names(listed, len(rows))}",
            "Look for a diverged training, or images that could not be read.",
        )
