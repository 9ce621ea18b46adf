"""Datasets under names of one's own, as ``data.datasets`` gives them.

``shop_a: {csv: a.csv}`` is the dataset ``csv`` with what it calls its place, ``shop_b: {folder:
{root: b, train: learn}}`` the dataset ``folder`` below another root, with its options.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from reidcore.registry.entry import Entry

NamedDatasets: TypeAlias = Mapping[str, Mapping[str, Any]]
"""Name -> a mapping of one key: the registered dataset, with its place or its options."""

ROOT = "root"


@dataclass(frozen=True)
class NamedDataset:
    """A dataset under a name of one's own.

    Attributes:
        name: that name.
        kind: the name of the registered dataset that reads it.
        written: its place, its options, or None.
    """

    name: str
    kind: str
    written: Any

    @classmethod
    def of(cls, datasets: NamedDatasets, name: str) -> NamedDataset | None:
        """Return the one of a name, if there is one."""
        if name not in datasets:
            return None
        (kind, written), *_ = datasets[name].items()
        return cls(name, kind, written)

    def options(self, entry: Entry) -> dict[str, Any]:
        """Return its options, in any of their spellings.

        Args:
            entry: the registered dataset.
        """
        return {key: value for key, value in self._given(entry).items() if key != ROOT}

    def root(self, entry: Entry) -> Any:
        """Return the folder below the data root that it lies in; empty for the data root."""
        return self._given(entry).get(ROOT, "")

    def _given(self, entry: Entry) -> Mapping[str, Any]:
        if isinstance(self.written, Mapping):
            return self.written
        # A dataset whose place is not a folder has an option that is spelt as the dataset is.
        place = self.kind if self.kind in entry.options else ROOT
        return {} if self.written is None else {place: self.written}

    def entry(self, entry: Entry) -> Entry:
        """Return the registered dataset under this name."""
        return replace(entry, name=self.name)


def registered_kind(datasets: NamedDatasets, name: str) -> str:
    """Return the name of the registered dataset that reads the one of a name."""
    named = NamedDataset.of(datasets, name)
    return named.kind if named else name
