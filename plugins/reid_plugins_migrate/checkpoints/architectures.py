"""Whose weights a file holds: each model is built without memory, and its entries compared."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Size, Tensor

from reidcore.cli import progress
from reidcore.models import build_model
from reidcore.registry import entries

if TYPE_CHECKING:
    from reidcore.plugins import Plugins

# Packages that have Torchreid's architectures, and FastReID's ResNets and OSNets.
_OWNERS = ("osnet", "zoo")
_OF_FASTREID = re.compile(r"osnet_(ibn_)?x\d_\d+|resnet(18|34|50|101|50_ibn_a)")
_NOT_COMPARED = re.compile(r"(^|\.)num_batches_tracked$|^classifier(\.|\d|$)")
_NON_LOCAL = re.compile(r"^NL_\d\.")
_EMBEDDING = "fc."  # of OSNet, which FastReID's backbones do without
_ENOUGH = 0.5


class Candidate(NamedTuple):
    """A model that a file's weights may be of.

    Attributes:
        name: the model's.
        of_file: share of the file's entries that the model has, in the same size.
        of_model: share of the model's entries that the file has.
    """

    name: str
    of_file: float
    of_model: float

    @property
    def is_exact(self) -> bool:
        """Whether names and sizes are the same, but for the classifier."""
        return self.of_file == self.of_model == 1


def candidates_of_torchreid(
    tensors: Mapping[str, Tensor], num_classes: int, hint: str, plugins: Plugins
) -> list[Candidate]:
    """Return the models whose entries a file has, the nearest first.

    Args:
        tensors: the file's entries.
        num_classes: how many identities the classifier tells apart.
        hint: the file's name, which most often begins with the model's.
        plugins: who brings models.
    """
    names = [entry.name for entry in entries("models", plugins) if entry.plugin in _OWNERS]
    names = [name for name in names if "/" not in name]
    found = _shapes(tensors)
    named = max((name for name in names if name in hint), key=len, default="")
    if named and (likely := _compared(named, found, num_classes, plugins)).is_exact:
        return [likely]
    with progress("comparing models", len(names)) as advance:
        compared = []
        for name in names:
            compared.append(_compared(name, found, num_classes, plugins))
            advance(1)
    return _nearest_first(compared)


def candidates_of_fastreid(tensors: Mapping[str, Tensor], plugins: Plugins) -> list[Candidate]:
    """Return the backbones whose entries a file has below ``backbone.``, the nearest first."""
    inside = {
        key.removeprefix("backbone."): value
        for key, value in tensors.items()
        if key.startswith("backbone.") and not _NON_LOCAL.match(key.removeprefix("backbone."))
    }
    found = _shapes(inside)
    names = [entry.name for entry in entries("models", plugins) if entry.plugin in _OWNERS]
    fitting = [name for name in names if _OF_FASTREID.fullmatch(name)]
    return _nearest_first(_compared(name, found, 1, plugins, _EMBEDDING) for name in fitting)


def _nearest_first(compared: Iterable[Candidate]) -> list[Candidate]:
    near = [each for each in compared if min(each.of_file, each.of_model) >= _ENOUGH]
    return sorted(near, key=lambda each: (-each.of_file * each.of_model, each.name))


def _compared(
    name: str, found: Mapping[str, Size], num_classes: int, plugins: Plugins, beyond: str = ""
) -> Candidate:
    """Compare entries with those of a model, but for the layer ``beyond`` what is compared."""
    with torch.device("meta"):
        model = build_model(name, num_classes, pretrained=False, plugins=plugins)
    own = _shapes(model.state_dict())
    own = {key: shape for key, shape in own.items() if not (beyond and key.startswith(beyond))}
    same = sum(own.get(key) == shape for key, shape in found.items())
    return Candidate(name, same / max(1, len(found)), same / max(1, len(own)))


def _shapes(tensors: Mapping[str, Tensor]) -> dict[str, Size]:
    return dict(_compared_entries(tensors))


def _compared_entries(tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, Size]]:
    for key, value in tensors.items():
        if not _NOT_COMPARED.search(key):
            yield key, value.shape
