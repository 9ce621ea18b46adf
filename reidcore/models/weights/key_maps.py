"""Whose keys a file has: told by what fits a model, by name and by size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from torch import Tensor

from reidcore.models.weights.fastreid import is_fastreid, translated


@dataclass(frozen=True)
class Arranged:
    """A file's entries under the names that a model would give them.

    Attributes:
        layout: whose keys the file has; empty if they are the model's own.
        tensors: name -> tensor.
        file_keys: name -> the file's key; a tensor that the file only implies has none.
    """

    layout: str
    tensors: Mapping[str, Tensor]
    file_keys: Mapping[str, str]

    def fitting(self, wanted: Mapping[str, Tensor]) -> list[str]:
        """Return the names that the model has, in the same size."""
        return [
            name
            for name, value in self.tensors.items()
            if name in wanted and wanted[name].shape == value.shape
        ]


def arrange(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> Arranged:
    """Return a file's entries under those names by which most of them fit a model.

    Args:
        found: the file's entries.
        wanted: the model's.
    """
    return max(_arrangements(found, wanted), key=lambda each: len(each.fitting(wanted)))


def _arrangements(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> Iterator[Arranged]:
    yield _renamed("", found, {key: key for key in found})
    if is_fastreid(found):
        yield Arranged("FastReID's keys", *translated(found))
    file_parts, model_parts = _first_parts(found), _first_parts(wanted)
    for part in file_parts:
        names = {key: key.removeprefix(part) for key in found}
        yield _renamed(f"keys below {part!r}", found, names)
    for part in model_parts:
        if part not in file_parts:
            yield _renamed(f"keys of {part!r}", found, {key: part + key for key in found})


def _renamed(layout: str, found: Mapping[str, Tensor], names: Mapping[str, str]) -> Arranged:
    tensors = {names[key]: value for key, value in found.items()}
    return Arranged(layout, tensors, {names[key]: key for key in found})


def _first_parts(keys: Mapping[str, Tensor]) -> list[str]:
    return list(dict.fromkeys(f"{key.partition('.')[0]}." for key in keys if "." in key))
