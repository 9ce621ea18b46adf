"""What a dataset does: it gives samples that are there, and says what is not."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np

from reid_plugins_scaffold.conformance.base import FactoryConformance
from reid_plugins_scaffold.conformance.contract import Broken, NotApplicable, contract
from reidcore.data import Dataset, SampleTable, read_tables
from reidcore.errors import UserError

SPLITS = ("train", "query", "gallery")


class DatasetConformance(FactoryConformance):
    """Checks of datasets.

    Attributes:
        root: the folder that has the data, ``data.root``; without it, and without `write`, it is
            only checked what happens where there are no data.
    """

    kind = "datasets"
    root: ClassVar[str | Path | None] = None

    def write(self, root: Path) -> None:
        """Write data to check with, such as ``fake_dataset(root / "mydata")``; none by default."""

    @contract(
        "Where its folder is missing it raises a UserError that names the place, unless it makes "
        "the data itself.",
        "Call reidcore.data.require(...), or read by from_folders, which does so.",
    )
    def test_a_missing_folder_is_told(self) -> None:
        """In an empty data root."""
        empty = self.folder / "empty"
        empty.mkdir()
        try:
            tables = self._read(empty)
        except UserError as error:
            if str(empty) not in str(error) and not self.options:
                raise Broken(f"says {str(error)!r}, without the place") from error
        else:
            if not any(map(len, tables.values())):
                raise Broken("reads an empty folder without a word")

    @contract(
        "It gives samples: files that are there, identities and cameras as whole numbers.",
        "Return data.Splits(train, query, gallery) of data.Sample(path, pid, camid).",
    )
    def test_its_files_are_there(self) -> None:
        """Each path is a file."""
        tables = self._tables()
        if not any(map(len, tables.values())):
            raise Broken("gives no samples at all")
        for split, table in tables.items():
            for path in table.paths:
                frames = [path] if isinstance(path, str) else path
                gone = [frame for frame in frames if not Path(frame).is_file()]
                if gone:
                    raise Broken(f"gives in {split} a file that is not there: {gone[0]!r}")

    @contract(
        "It gives the same samples in the same order each time.",
        "Sort what the file system lists, and draw splits from a seed.",
    )
    def test_it_reads_the_same_again(self) -> None:
        """Twice."""
        again = self._again()
        for split, table in self._tables().items():
            if list(table) != list(again[split]):
                raise Broken(f"gives other samples, or in another order, in {split}")

    @contract(
        "No image that is learnt from is searched for, and somebody who is searched for is in the "
        "gallery.",
        "Split by identity; reidcore data check tells more.",
    )
    def test_its_splits_fit_together(self) -> None:
        """Images of training and test, identities of query and gallery."""
        train, query, gallery = (self._tables()[split] for split in SPLITS)
        twice = set(train.paths).intersection(query.paths)
        if twice:
            raise Broken(f"learns from {len(twice)} queries, such as {sorted(twice)[0]!r}")
        if len(query) and len(gallery) and not np.isin(query.pids, gallery.pids).any():
            raise Broken("has no identity of the queries in the gallery")

    def _tables(self) -> dict[str, SampleTable]:
        return self.once("tables", self._again)

    def _again(self) -> dict[str, SampleTable]:
        root = self.root if self.root is not None else self.once("written", self._written)
        return self._read(Path(root))

    def _written(self) -> Path:
        """Return the folder that `write` or the dataset has filled, for all checks."""
        root = self.kept_folder()
        self.write(root)
        if not any(root.iterdir()):
            try:
                self._read(root)
            except UserError:
                raise NotApplicable("there are no data to read; name their root") from None
        return root

    def _read(self, root: Path) -> dict[str, SampleTable]:
        made = read_tables(self.component, root)
        sides = (made.train, made.query, made.gallery) if isinstance(made, Dataset) else made
        return {split: SampleTable.of(side) for split, side in zip(SPLITS, sides, strict=True)}
