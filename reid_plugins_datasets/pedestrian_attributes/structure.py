"""Attributes that a structure in a MATLAB file describes: what lies at which of its places."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reid_plugins_datasets.pedestrian_attributes.cells import (
    numbers,
    of_the_known_form,
    only,
    rows_counted_from_1,
    texts,
)
from reid_plugins_datasets.pedestrian_attributes.described import DescribedImages
from reid_plugins_datasets.reading.matlab import load_mat
from reid_plugins_datasets.reading.option_values import check_split_id
from reidcore.data import DatasetCard, Int64Array, Splits, require

_SPLITS = 5
_UNKNOWN = -1


@dataclass(frozen=True)
class Structure:
    """Where a dataset's structure has what it says, each a place counted from 0.

    Attributes:
        file: the MATLAB file, below the dataset's folder.
        name: the structure's.
        words: what it holds, for messages.
        images: the folder of the images.
        labels: of N images, a column for each attribute, the last ones of the table.
        attributes: their names.
        partitions: five, into images to learn from and, last, those to test on.
        parts: how many a partition has.
        pictures: names of the images; None for five digits, counted from 1.
        first: how many attributes are evaluated, the first ones; None for all, or the selected.
        selection: numbers of those that are evaluated, counted from 1; None if it selects none.
    """

    file: str
    name: str
    words: str
    images: str
    labels: int
    attributes: int
    partitions: int
    parts: int
    pictures: int | None = None
    first: int | None = None
    selection: int | None = None

    def read(self, card: DatasetCard, root: str | os.PathLike[str], split_id: int) -> Splits:
        """Read one of the five partitions; all parts but the last are learnt from together.

        Args:
            card: the dataset's.
            root: folder that holds the dataset's.
            split_id: which partition, base 0.

        Raises:
            DataError: a file is missing or not as expected, or there is no such split.
            UserError: scipy is missing.
        """
        check_split_id(card.title, split_id, _SPLITS)
        directory = Path(root) / card.folder
        folder, file = directory / self.images, directory / self.file
        require(card, folder, file)
        stored = load_mat(file, self.name)[self.name]
        with of_the_known_form(file, self.words):
            places = list(stored[0, 0])
            names, answers = self._evaluated(places)
            *learnt, test = self._partition(places, split_id)
            paths = self._paths(places, len(answers))
        # Neither yes nor no: nobody could tell.
        known = np.where((answers == 0) | (answers == 1), answers, _UNKNOWN)
        images = DescribedImages(folder, paths, names, known, file)
        return images.splits(np.concatenate(learnt), test)

    def _evaluated(self, places: Sequence[Any]) -> tuple[list[str], Int64Array]:
        """Return the names of the evaluated attributes, A, and the answers (N, A)."""
        names = texts(places[self.attributes])
        # Before the attributes some have columns about the picture.
        answers = numbers(places[self.labels])[:, -len(names) :]
        if self.selection is None:
            return names[: self.first], answers[:, : self.first]
        chosen = rows_counted_from_1(places[self.selection])
        return [names[place] for place in chosen], answers[:, chosen]

    def _partition(self, places: Sequence[Any], split_id: int) -> list[Int64Array]:
        partition = only(places[self.partitions].reshape(-1)[split_id])
        parts = [rows_counted_from_1(part) for part in partition.item()]
        if len(parts) != self.parts:
            raise ValueError(f"a partition has {len(parts)} parts, not {self.parts}")
        return parts

    def _paths(self, places: Sequence[Any], count: int) -> list[str]:
        if self.pictures is None:
            return [f"{number:05d}.png" for number in range(1, count + 1)]
        return texts(places[self.pictures])
