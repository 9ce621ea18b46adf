"""The table of Torchreid's names, and where each is here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, TypeAlias

import yaml

_TABLE = "torchreid_names.yaml"
_OTHERS = "*"
# The package as PyPI has it keeps everything one level deeper.
_REPACKED = "reid"
FACADES = ("data", "engine", "losses", "metrics", "models", "optim", "utils")
"""Packages of Torchreid that reidcore has under the same names."""

Path: TypeAlias = tuple[str, ...]
"""A dotted name below Torchreid's package: ``("data", "transforms")``."""


@dataclass(frozen=True)
class Home:
    """Where a name is: ``reidcore.utils``, ``read_json``."""

    module: str
    name: str


@dataclass(frozen=True)
class Absent:
    """A name without a counterpart, and what to do about it."""

    advice: str


class Names:
    """The table.

    Args:
        modules: module of Torchreid -> home -> names; ``absent`` has names with advice.
        gathers: package -> modules whose names it has as well.
    """

    def __init__(
        self, modules: Mapping[str, Mapping[str, Any]], gathers: Mapping[str, list[str]]
    ) -> None:
        self._gathers = gathers
        self._homes = {module: dict(_homes(rows)) for module, rows in modules.items()}
        self._absent = {module: dict(rows.get("absent", {})) for module, rows in modules.items()}

    @property
    def modules(self) -> list[str]:
        """All of Torchreid's modules, below its package."""
        return list(self._homes)

    def is_module(self, path: Path) -> bool:
        """Whether Torchreid has a module of that name."""
        return ".".join(path) in self._homes

    def inside(self, path: Path) -> list[str]:
        """Return the names of the modules that lie directly in a package."""
        return [
            last
            for *above, last in (each.split(".") for each in filter(None, self._homes))
            if tuple(above) == path
        ]

    def homes(self, module: str) -> dict[str, Home]:
        """Return the module's names, those that it gathers among them, with their homes."""
        found: dict[str, Home] = {}
        for each in self._gathers.get(module, ()):
            found |= self.homes(each)
        return found | self._homes[module]

    def own_homes(self, module: str) -> dict[str, Home]:
        """Return the names that the module itself defines, with their homes."""
        return self._homes[module]

    def absent(self, module: str) -> dict[str, str]:
        """Return the module's own names without a counterpart, each with advice."""
        return self._absent[module]

    def find(self, path: Path) -> Home | Absent | None:
        """Return where a dotted name is, or what to do about it; None if it is unknown.

        Args:
            path: a module and a name in it.
        """
        module, name = ".".join(path[:-1]), path[-1]
        if module not in self._homes:
            return None
        if home := self.homes(module).get(name):
            return home
        return self._advice(module, name)

    def _advice(self, module: str, name: str, is_own: bool = True) -> Absent | None:
        rows = self._absent[module]
        if advice := rows.get(name) or (rows.get(_OTHERS) if is_own else None):
            return Absent(advice)
        gathered = (self._advice(each, name, False) for each in self._gathers.get(module, ()))
        return next(filter(None, gathered), None)


def _homes(rows: Mapping[str, Any]) -> Iterator[tuple[str, Home]]:
    for home, names in rows.items():
        for name in names if home != "absent" else ():
            theirs, ours = next(iter(name.items())) if isinstance(name, dict) else (name, name)
            yield theirs, Home(home, ours)


@cache
def torchreid_names() -> Names:
    """Return the table of Torchreid's names."""
    text = files("reid_plugins_migrate").joinpath(_TABLE).read_text(encoding="utf-8")
    table = yaml.safe_load(text)
    return Names(table["modules"], table["gathers"])


def below_package(dotted: str) -> Path | None:
    """Return a dotted name below Torchreid's package; None if it is not of Torchreid."""
    first, *rest = dotted.split(".")
    if first != "torchreid":
        return None
    return without_repacking(tuple(rest))


def without_repacking(path: Path) -> Path:
    """Return a path without the level that PyPI's package has above all others."""
    return path[1:] if path[:1] == (_REPACKED,) else path
