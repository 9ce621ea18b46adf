"""What MATLAB's cells and structures hold, as scipy gives them: arrays within arrays of one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from reidcore.data import Int64Array
from reidcore.errors import DataError


def only(cell: Any) -> Any:
    """Return what lies within arrays of one element, down to something else."""
    while isinstance(cell, np.ndarray) and cell.dtype == object and cell.size == 1:
        cell = cell.reshape(-1)[0]
    return cell


def texts(cells: Any) -> list[str]:
    """Return the texts of cells, in whatever they are wrapped."""
    return [str(np.asarray(only(cell)).reshape(-1)[0]) for cell in np.asarray(cells).reshape(-1)]


def rows_counted_from_1(cell: Any) -> Int64Array:
    """Return numbers of rows, which MATLAB counts from 1, counted from 0."""
    return np.asarray(only(cell)).reshape(-1).astype(np.int64) - 1


def numbers(cells: Any) -> Int64Array:
    """Return a matrix of whole numbers."""
    return np.asarray(cells).astype(np.int64)


@contextmanager
def of_the_known_form(path: Path, form: str) -> Iterator[None]:
    """Tell a file that holds something else than what is looked for.

    Args:
        path: the file.
        form: what was expected, in words.

    Raises:
        DataError: if it does.
    """
    try:
        yield
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise DataError(
            f"{str(path)!r} is not of the expected form ({error})", f"Expected {form}"
        ) from error
