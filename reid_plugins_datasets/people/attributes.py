"""What people look like, as Lin et al. wrote it down for two benchmarks, in columns of the tables.

Lin et al. Improving Person Re-identification by Attribute and Identity Learning. Pattern
Recognition 2019; https://github.com/vana77/Market-1501_Attribute and
https://github.com/vana77/DukeMTMC-attribute.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from reid_plugins_datasets.reading.matlab import load_mat
from reidcore.data import Samples, SampleTable, Splits
from reidcore.errors import DataError

PREFIX = "attribute_"
"""What the names of the columns begin with."""

UNKNOWN = -1
"""Value of an identity that nobody described, such as a distractor."""

_INDEX = "image_index"
_Values: TypeAlias = dict[int, int]


def with_attributes(splits: Splits, path: Path, variable: str) -> Splits:
    """Give splits a column for each attribute: ``attribute_backpack`` and so on.

    Values begin with 0, that is, they are those of the file less one; `UNKNOWN` where an identity
    has none. An attribute belongs to a person, not to a picture.

    Args:
        splits: what was read.
        path: the MATLAB file of the attributes.
        variable: its variable, with the parts ``train`` and ``test``.

    Raises:
        DataError: the file cannot be read or is not of that form.
        UserError: scipy is missing.
    """
    attributes = _read(path, variable)
    train, query, gallery = (_described(split, attributes) for split in splits)
    return Splits(train, query, gallery)


def _read(path: Path, variable: str) -> dict[str, _Values]:
    """Return attribute -> identity -> value."""
    stored = load_mat(path, variable)[variable]
    attributes: dict[str, _Values] = {}
    try:
        for half in ("train", "test"):
            _add(stored[half][0, 0], attributes)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise DataError(
            f"{variable} in {str(path)!r} is not of the expected form ({error})",
            f"Expected the parts train and test, each with {_INDEX} and a row for each attribute",
        ) from error
    return attributes


def _add(half: Any, attributes: dict[str, _Values]) -> None:
    pids = [int(cell.item()) for cell in half[_INDEX][0, 0].flatten()]
    for name in half.dtype.names:
        if name != _INDEX:
            values = [int(value) - 1 for value in half[name][0, 0].flatten()]
            attributes.setdefault(name, {}).update(zip(pids, values, strict=True))


def _described(split: Samples, attributes: Mapping[str, _Values]) -> SampleTable:
    table = SampleTable.of(split)
    pids, rows = np.unique(table.pids, return_inverse=True)
    columns: dict[str, npt.NDArray[np.int64]] = {}
    for name, values in sorted(attributes.items()):
        known = np.array([values.get(pid, UNKNOWN) for pid in pids.tolist()], dtype=np.int64)
        columns[PREFIX + name] = known[rows.reshape(-1)]
    return SampleTable.of(table, columns=columns)
