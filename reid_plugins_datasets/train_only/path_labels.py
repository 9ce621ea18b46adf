"""Sets to learn from whose paths carry the labels: a folder or two, and the names of the files."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from reid_plugins_datasets.reading.names import NameForm
from reid_plugins_datasets.reading.pictures import read_below
from reid_plugins_datasets.reading.tables import whole_numbers
from reidcore.data import (
    DatasetCard,
    Int64Array,
    LabelNames,
    SampleTable,
    Splits,
    described_by,
    require,
)
from reidcore.errors import DataError


@dataclass(frozen=True)
class PathLabels:
    """How the paths of a set carry the labels.

    Attributes:
        form: the paths below the folder, with slashes.
        pid: groups that tell an identity together, such as a scene and a number in it.
        camera: groups that tell a camera together; none where cameras are not known.
        columns: groups of whole numbers that become columns.
    """

    form: NameForm
    pid: Sequence[str] = ("pid",)
    camera: Sequence[str] = ()
    columns: Sequence[str] = ()


def training_set(
    card: DatasetCard, labels: PathLabels, extension: str, places: Sequence[str] = ("",)
) -> Callable[[str | os.PathLike[str]], Splits]:
    """Return the factory of a set that is read by its paths, to learn from only.

    Identities and cameras are numbered from 0 in the order of their numbers or, where any has
    another name, of their names, and keep what the paths call them as names.

    Args:
        card: the dataset's card; its test images are none.
        labels: how the paths carry the labels.
        extension: ending of the pictures' names, with its dot.
        places: folders in the dataset's, of which the first that exists holds the pictures.
    """

    @described_by(replace(card, combines=False))
    def read(root: str | os.PathLike[str]) -> Splits:
        """Read all pictures as training samples; query and gallery are empty.

        Args:
            root: folder that holds the dataset's folder.

        Raises:
            DataError: the folder is missing or has no picture, or a picture has another path.
        """
        folders = [Path(root) / card.folder / place for place in places]
        folder = next((each for each in folders if each.is_dir()), folders[0])
        require(card, folder)
        return Splits(_read(folder, labels, extension), [], [])

    return read


def _read(folder: Path, labels: PathLabels, extension: str) -> SampleTable:
    pictures = read_below(folder, labels.form, (extension,))
    if not pictures:
        raise DataError(f"no {extension} picture lies below {str(folder)!r}", "Unpack it again")
    matches = [match for match, _ in pictures]
    pids, pid_names = _numbered(matches, labels.pid)
    camids, camid_names = _numbered(matches, labels.camera)
    columns = {column: whole_numbers(matches, column) for column in labels.columns}
    names = LabelNames(pid_names, camid_names if labels.camera else {})
    return SampleTable.below("", [path for _, path in pictures], pids, camids, columns, names)


def _numbered(
    matches: Sequence[re.Match[str]], groups: Sequence[str]
) -> tuple[Int64Array, dict[int, str]]:
    """Return (N,) the number of each match's label, and number -> name."""
    labels = [tuple(match[group] for group in groups) for match in matches]
    distinct = sorted(set(labels), key=_place)
    number = {label: place for place, label in enumerate(distinct)}
    numbers = np.array([number[label] for label in labels], dtype=np.int64)
    return numbers, {place: "-".join(label) for place, label in enumerate(distinct)}


def _place(label: tuple[str, ...]) -> tuple[tuple[int, str], ...]:
    """Order numbers by their size, before other texts."""
    return tuple((int(text), "") if text.isdecimal() else (2**63, text) for text in label)
