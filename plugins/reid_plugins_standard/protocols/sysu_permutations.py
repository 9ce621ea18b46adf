"""The permutations of images by which SYSU-MM01's authors fix their ten trials."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from reidcore.errors import DataError, UserError, counted

Int64 = npt.NDArray[np.int64]

_VARIABLE = "rand_perm_cam"


class Permutations:
    """The authors' file ``rand_perm_cam.mat``: camera -> person -> (trials, images), from 1 on.

    Args:
        path: the file, as it stands in their repository.
        trials: how many trials are wanted.

    Raises:
        DataError: if it cannot be read or is another file.
        UserError: if scipy is missing, or there are fewer trials in it.
    """

    def __init__(self, path: str | os.PathLike[str], trials: int) -> None:
        self._path = Path(path)
        self._cameras = _read(self._path)
        known = max((len(person) for camera in self._cameras for person in camera), default=0)
        if trials > known:
            raise UserError(
                f"{str(self._path)!r} fixes {counted(known, 'trial')}, {trials} are wanted",
                f"Set sysu_mm01.trials={known}, or leave the permutations out.",
            )

    def first(self, groups: Int64, number: Int64, shots: int, trial: int) -> Int64:
        """Return the rows of the first images of each person by each camera, ascending.

        Args:
            groups: (N, 2) camera, from 0 on, and published number of the person in each image.
            number: (N,) what the images of a person by a camera are ordered by.
            shots: how many of them.
            trial: counted from 0.

        Raises:
            DataError: if the permutations are of more or fewer images than there are.
        """
        order = np.lexsort((number, groups[:, 1], groups[:, 0]))
        starts = np.flatnonzero(np.any(np.diff(groups[order], axis=0, prepend=-1), axis=1))
        chosen = []
        for rows in np.split(order, starts[1:]):
            camera, person = groups[rows[0]].tolist()
            chosen.append(rows[self._of(camera, person, len(rows), trial)[:shots] - 1])
        return np.sort(np.concatenate(chosen))

    def _of(self, camera: int, person: int, images: int, trial: int) -> Int64:
        people = self._cameras[camera] if camera < len(self._cameras) else []
        known = people[person - 1] if 0 < person <= len(people) else np.zeros((0, 0), np.int64)
        if known.shape[1] != images:
            raise DataError(
                f"{str(self._path)!r} permutes {counted(known.shape[1], 'image')} of person "
                f"{person} by camera {camera + 1}, the gallery has {images}",
                "The gallery must have all test images, with the published pids.",
            )
        permuted: Int64 = known[trial]
        return permuted


def _read(path: Path) -> list[list[Int64]]:
    try:
        from scipy.io import loadmat
    except ImportError as error:
        raise UserError(
            f"{str(path)!r} is a MATLAB file, and the package that reads it is missing ({error})",
            'Run: pip install "reidcore[mat]"',
        ) from error
    try:
        cameras = loadmat(path, variable_names=[_VARIABLE])[_VARIABLE]
        return [[_whole(person) for person in camera.ravel()] for camera in cameras.ravel()]
    except Exception as error:  # scipy lets whatever it stumbles over in other files escape
        raise DataError(
            f"cannot read the permutations in {str(path)!r}: {error}",
            f"Give the authors' file {_VARIABLE}.mat.",
        ) from error


def _whole(person: npt.NDArray[Any]) -> Int64:
    """Return (trials, images) positions counted from 1, each row a permutation."""
    permuted = person.astype(np.int64)
    images = permuted.shape[1]
    if (np.sort(permuted, axis=1) != np.arange(1, images + 1)).any():
        raise ValueError("a row is no permutation")
    return permuted
