"""Layers of values, merged with the later ones winning, and where each value came from."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reidcore._validation import at, dotted
from reidcore.config.bounds import require_plain
from reidcore.errors import ConfigError

Path = tuple[str, ...]
Tree = dict[str, Any]


SPELLED_KIND = "datasets"
"""What may stand before the name of a dataset's section."""


@dataclass(frozen=True)
class Origin:
    """Where a value was set.

    Args:
        kind: ``"default"``, ``"checkpoint"``, ``"file"``, ``"flag"`` or ``"override"``.
        text: how to show it: ``"my_run.yaml:12"``, ``"train.lr=0.1"``; empty for a default.
        is_of_recipe: whether the file is a plugin's and not the user's.
    """

    kind: str
    text: str = ""
    is_of_recipe: bool = False

    @property
    def is_written(self) -> bool:
        """Whether the user wrote the value for the run."""
        return self.kind in ("file", "flag", "override") and not self.is_of_recipe

    def __str__(self) -> str:
        if self.kind in ("override", "flag"):
            return f"{self.kind} {self.text}".rstrip()
        return self.text or self.kind


Origins = dict[Path, Origin]


@dataclass
class Layer:
    """A nested tree of values with the origin of each of its keys."""

    tree: Tree = field(default_factory=dict)
    origins: Origins = field(default_factory=dict)

    @classmethod
    def of(cls, values: Mapping[str, Any], origin: Origin) -> Layer:
        """Make a layer whose every value has one origin."""
        layer = cls()
        for key, value in values.items():
            layer.set((str(key),), value, origin)
        return layer

    def set(self, path: Path, value: Any, origin: Origin) -> None:
        """Set one key; a mapping is merged into the one that is there, anything else replaces.

        A dataset's section may be spelled with its kind: ``datasets.market1501`` is ``market1501``.

        Raises:
            ConfigError: the value is too large or too deep, or holds what cannot be shown; or an
                override is to empty a section.
        """
        require_plain(path, value, origin)
        self._set(path, value, origin)

    def _set(self, path: Path, value: Any, origin: Origin) -> None:
        if len(path) > 1 and path[0] == SPELLED_KIND:
            path = path[1:]
        if isinstance(value, Mapping) and value:
            for key, inner in value.items():
                self._set((*path, str(key)), inner, origin)
            return
        section = self.tree
        for end, name in enumerate(path[:-1], start=1):
            if not isinstance(section.get(name), dict):
                section[name] = {}
                self.origins.pop(path[:end], None)
            section = section[name]
        if value == {} and isinstance(held := section.get(path[-1]), dict):
            if held and origin.kind == "override":
                raise ConfigError(
                    f"{origin} leaves {', '.join(held)} there: sections are merged, not replaced",
                    f"Set {dotted(path)}=null, or the keys that are not wanted to 0 or null.",
                )
            return
        if path[-1] in section:
            for old in [known for known in self.origins if known[: len(path)] == path]:
                del self.origins[old]
        section[path[-1]] = copy.deepcopy(value)
        self.origins[path] = origin

    def update(self, other: Layer) -> None:
        """Lay another layer over this one."""
        for path, origin in other.origins.items():
            self._set(path, at(other.tree, path), origin)

    def origin(self, path: tuple[str | int, ...]) -> Origin | None:
        """Return the origin of a key, else of the nearest section above or key below it."""
        named = tuple(str(part) for part in path)
        for end in range(len(named), 0, -1):
            if named[:end] in self.origins:
                return self.origins[named[:end]]
        below = (found for known, found in self.origins.items() if known[: len(named)] == named)
        return next(below, None)
