"""The names that a new plugin package gets from the one that its author gave."""

from __future__ import annotations

import importlib.util
import keyword
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reid_plugins_scaffold.drafts import DRAFTS
from reidcore import registry
from reidcore.config import Config, LossOptions
from reidcore.errors import PluginError, UserError

if TYPE_CHECKING:
    from reidcore.plugins import Plugins

_NAME = re.compile(r"[A-Za-z]([A-Za-z0-9_-]*[A-Za-z0-9])?")
_TO_CHOOSE = "Choose another name"


@dataclass(frozen=True)
class Names:
    """What a new package and the parts of it are called.

    Attributes:
        kind: one of ``DRAFTS``.
        name: the plugin and its component, as users write it.
    """

    kind: str
    name: str

    @property
    def distribution(self) -> str:
        """What is installed."""
        return f"reid-{self.name.replace('_', '-')}"

    @property
    def module(self) -> str:
        """What is imported."""
        return f"reid_{self.name}"

    @property
    def command(self) -> str:
        """What is typed, where it is a command."""
        return self.name.replace("_", "-")

    @property
    def prefix(self) -> str:
        """The beginning of its classes' names."""
        return "".join(part[:1].upper() + part[1:] for part in self.name.split("_"))


def checked_names(kind: str, given: str, plugins: Plugins, commands: Collection[str] = ()) -> Names:
    """Return the names of a new package.

    Args:
        kind: what it brings.
        given: a name such as ``mydata``, ``my-data`` or ``reid-mydata``.
        plugins: the installed ones, whose names are taken.
        commands: those that there are.

    Raises:
        UserError: if it is no usable name.
        PluginError: if it is taken.
    """
    bare = given.removeprefix("reid-").removeprefix("reid_")
    names = Names(kind, bare.replace("-", "_"))
    if not _NAME.fullmatch(bare) or keyword.iskeyword(names.name):
        raise UserError(f"{given!r} is no name for a Python package", _usable(given))
    taken = _taken_by(names, plugins, commands)
    if taken:
        raise PluginError(
            f"the name {given!r} is taken: {taken}", f"{_TO_CHOOSE}, such as 'my-{bare}'."
        )
    return names


def _usable(given: str) -> str:
    rules = "Use letters, digits and _, with a letter first"
    near = re.sub(r"[^A-Za-z0-9]+", "_", given).strip("_")
    near = f"my_{near}" if not near[:1].isalpha() or keyword.iskeyword(near) else near
    return f"{rules}, such as {near!r}." if _NAME.fullmatch(near) else f"{rules}."


def _taken_by(names: Names, plugins: Plugins, commands: Collection[str]) -> str:
    """Say what bears one of these names already; nothing if they are free."""
    for plugin in plugins:
        if names.name == plugin.name or names.distribution == _canonical(plugin.distribution):
            return f"plugin {plugin.origin} is installed"
    kind = DRAFTS[names.kind].kinds
    for entry in registry.entries(kind, plugins) if kind else ():
        if names.name in (entry.name, *entry.aliases):
            return f"plugin {entry.plugin!r} has the {entry.label}"
    if names.kind == "command" and names.command in commands:
        return f"there is a command {names.command}"
    if names.name in Config.model_fields:
        return f"the configuration has a section {names.name}"
    if names.kind in ("loss", "engine") and names.name in LossOptions.model_fields:
        return f"the configuration has a key loss.{names.name}"
    if importlib.util.find_spec(names.module) is not None:
        return f"there is a module {names.module}"
    return ""


def _canonical(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()
