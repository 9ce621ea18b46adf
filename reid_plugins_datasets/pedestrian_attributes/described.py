"""Splits of images that are described, and of nobody in particular.

Without identities a ranking needs something to match: images are alike where all of their
attributes are. Such a group has a number in place of an identity, in all splits alike.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from reid_plugins_datasets.people.attributes import PREFIX
from reid_plugins_datasets.reading.listing import check_files
from reidcore.data import Int64Array, SampleTable, Splits
from reidcore.errors import DataError

QUERY_CAMERA, GALLERY_CAMERA = 0, 1
"""Queries count as seen by one camera and the gallery by another: no protocol parts them then."""

_ODD = re.compile(r"[^\w&+=-]+")


@dataclass(frozen=True, eq=False)
class DescribedImages:
    """N images and what they look like.

    Attributes:
        folder: where they lie.
        paths: N paths below it.
        names: of the A attributes.
        answers: (N, A) 1 for yes, 0 for no, below 0 for unknown.
        listed_in: the file that says so, for messages.
    """

    folder: Path
    paths: Sequence[str]
    names: Sequence[str]
    answers: npt.NDArray[np.int64]
    listed_in: Path

    def __post_init__(self) -> None:
        if self.answers.shape != (len(self.paths), len(self.names)):
            raise DataError(
                f"{str(self.listed_in)!r} describes {len(self.paths)} images by {len(self.names)} "
                f"attributes, and its table is {self.answers.shape}",
                "It is of another version of the dataset: get it again",
            )
        kept = set(_column_names(self.names).values())
        if lost := [name for place, name in enumerate(self.names) if place not in kept]:
            raise DataError(
                f"{str(self.listed_in)!r} has two attributes that would be one column: {lost[0]!r} "
                "and one like it",
                "It is of another version of the dataset: get it again",
            )

    def splits(self, train: Int64Array, test: Int64Array) -> Splits:
        """Return the images of both halves; of each group in the test half one is searched for.

        The groups that have one image alone are not searched for.

        Args:
            train: the images to learn from, numbered from 0.
            test: those to test on.

        Raises:
            DataError: if a number is that of no image, or a file is missing.
        """
        used = np.concatenate([train, test])
        if used.size and not (used.min() >= 0 and used.max() < len(self.paths)):
            raise DataError(
                f"{str(self.listed_in)!r} has {len(self.paths)} images, and lists number "
                f"{int(used.max()) + 1}",
                "It is of another version of the dataset: get it again",
            )
        check_files(self.folder, [self.paths[row] for row in used], self.listed_in)
        groups = np.unique(self.answers, axis=0, return_inverse=True)[1].reshape(-1)
        _, first, sizes = np.unique(groups[test], return_index=True, return_counts=True)
        searched = test[np.sort(first[sizes > 1])]
        return Splits(
            self._table(train, groups, QUERY_CAMERA),
            self._table(searched, groups, QUERY_CAMERA),
            self._table(test, groups, GALLERY_CAMERA),
        )

    def _table(self, rows: Int64Array, groups: Int64Array, camera: int) -> SampleTable:
        answers = self.answers[rows]
        columns = {
            PREFIX + name: answers[:, place] for name, place in _column_names(self.names).items()
        }
        paths = [self.paths[row] for row in rows]
        return SampleTable.below(
            self.folder, paths, groups[rows], np.full(len(rows), camera), columns
        )


def _column_names(names: Sequence[str]) -> Mapping[str, int]:
    """Return attribute -> its place, spelled as columns are: without spaces."""
    return {_ODD.sub("_", name.strip()): place for place, name in enumerate(names)}
