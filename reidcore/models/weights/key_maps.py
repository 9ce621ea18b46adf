"""Whose keys a file has: told by what fits a model, by name and by size.

Layouts of other libraries are plugins', by ``registry.layout`` in ``reid_register_weights``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor, nn

from reidcore.registry.lookup import layouts

if TYPE_CHECKING:
    from reidcore.plugins import Plugins


@dataclass(frozen=True)
class WeightsLayout:
    """A file's entries under the names that a model would give them.

    Attributes:
        name: whose keys the file has, such as ``FastReID's keys``; empty if they are the model's.
        tensors: name -> tensor.
        file_keys: name -> the file's key; a tensor that the file only implies has none.
        advice: what to tell who loads such a file.
    """

    name: str
    tensors: Mapping[str, Tensor]
    file_keys: Mapping[str, str]
    advice: str = ""

    def fitting(self, wanted: Mapping[str, Tensor]) -> list[str]:
        """Return the names that the model has, in the same size."""
        return [
            name
            for name, value in self.tensors.items()
            if name in wanted and wanted[name].shape == value.shape
        ]


def arrange(
    model: nn.Module,
    found: Mapping[str, Tensor],
    wanted: Mapping[str, Tensor],
    plugins: Plugins | None = None,
) -> WeightsLayout:
    """Return a file's entries under those names by which most of them fit a model.

    Args:
        model: the network, without wrappers.
        found: the file's entries.
        wanted: the model's.
        plugins: whose layouts are tried; by default the current plugins.

    Raises:
        PluginDefectError: a plugin's layout gives something else.
    """
    readings = _readings(model, found, wanted, plugins)
    return max(readings, key=lambda each: len(each.fitting(wanted)))


def _readings(
    model: nn.Module,
    found: Mapping[str, Tensor],
    wanted: Mapping[str, Tensor],
    plugins: Plugins | None,
) -> Iterator[WeightsLayout]:
    yield _renamed("", found, {key: key for key in found})
    for entry in layouts(plugins):
        reading = entry.load()(model, found)
        if isinstance(reading, WeightsLayout):
            yield reading
        elif reading is not None:
            raise entry.defect(reading, "a WeightsLayout, or None")
    file_parts, model_parts = _first_parts(found), _first_parts(wanted)
    for part in file_parts:
        names = {key: key.removeprefix(part) for key in found}
        yield _renamed(f"keys below {part!r}", found, names)
    for part in model_parts:
        if part not in file_parts:
            yield _renamed(f"keys of {part!r}", found, {key: part + key for key in found})


def _renamed(name: str, found: Mapping[str, Tensor], names: Mapping[str, str]) -> WeightsLayout:
    tensors = {names[key]: value for key, value in found.items()}
    return WeightsLayout(name, tensors, {names[key]: key for key in found})


def _first_parts(keys: Mapping[str, Tensor]) -> list[str]:
    return list(dict.fromkeys(f"{key.partition('.')[0]}." for key in keys if "." in key))
