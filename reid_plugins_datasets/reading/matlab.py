"""MATLAB's files, read by packages that the extra ``mat`` brings."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from reidcore.errors import DataError, UserError


def load_mat(path: Path, *names: str) -> dict[str, Any]:
    """Read variables of a MATLAB file up to version 7 (that is, not of an HDF5 file).

    Args:
        path: the file.
        names: the variables wanted.

    Returns:
        The variables, as scipy gives them: matrices have two axes, cells are arrays of objects.

    Raises:
        DataError: the file cannot be read or lacks a variable.
        UserError: scipy is missing.
    """
    loadmat = _package("scipy.io", path).loadmat
    try:
        stored = loadmat(path, variable_names=names)
    except Exception as error:  # scipy lets whatever it stumbles over in broken files escape
        raise DataError(
            f"cannot read {str(path)!r}: {error}", "It is damaged or no MATLAB file: get it again"
        ) from error
    missing = [name for name in names if name not in stored]
    if missing:
        raise DataError(
            f"{str(path)!r} lacks the variable {missing[0]!r}",
            "It is another file, or of another version of the dataset: get it again",
        )
    return {name: stored[name] for name in names}


def load_integers(path: Path, name: str) -> npt.NDArray[np.int64]:
    """Read one variable of a MATLAB file, a matrix of whole numbers.

    Raises:
        DataError: the file cannot be read, lacks the variable, or that is something else.
        UserError: scipy is missing.
    """
    matrix = load_mat(path, name)[name]
    if not isinstance(matrix, np.ndarray) or matrix.dtype.kind not in "iuf" or matrix.ndim != 2:
        raise DataError(
            f"{name!r} in {str(path)!r} is no matrix of numbers",
            "It is another file, or of another version of the dataset: get it again",
        )
    return matrix.astype(np.int64)


@contextmanager
def open_mat73(path: Path) -> Iterator[Any]:
    """Open a MATLAB file of version 7.3, which is HDF5; what it lacks is told as bad data.

    Raises:
        DataError: it cannot be read, or lacks a part that is asked for while it is open.
        UserError: h5py is missing.
    """
    h5py = _package("h5py", path)
    try:
        with h5py.File(path, "r") as file:
            yield file
    except (KeyError, ValueError, IndexError) as error:
        raise DataError(
            f"{str(path)!r} is not what it should be: {error}", "Unpack it again"
        ) from error
    except OSError as error:
        raise DataError(f"cannot read {str(path)!r}: {error}", "Unpack it again") from error


def _package(module: str, path: Path) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UserError(
            f"{str(path)!r} is a MATLAB file, and the package that reads it is missing ({error})",
            'Run: pip install "reidcore[mat]"',
        ) from error
