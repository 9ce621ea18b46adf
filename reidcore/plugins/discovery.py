"""Where plugins come from: entry points of installed distributions, files, modules and objects."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import os
import sys
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from reidcore.errors import PluginError

GROUP = "reidcore"
DISABLE_VARIABLE = "REIDCORE_DISABLE_PLUGINS"
BUNDLED_DISTRIBUTION = "reidcore"


@dataclass(frozen=True)
class Candidate:
    """A plugin that was found and not yet imported.

    Attributes:
        name: the entry-point name, or a file's stem.
        load: imports and returns the module or object.
        distribution: the distribution that brings it; empty for files and objects.
        version: that distribution's version.
        location: the path or module it was named by.
    """

    name: str
    load: Callable[[], Any] = field(compare=False)
    distribution: str = ""
    version: str = ""
    location: str = ""

    @property
    def is_bundled(self) -> bool:
        """Whether it comes with reidcore itself."""
        return self.distribution == BUNDLED_DISTRIBUTION

    @property
    def names(self) -> set[str]:
        """The names by which a user may disable or select it."""
        return {self.name, self.distribution} - {""}


def installed_candidates(group: str = GROUP) -> list[Candidate]:
    """Return the entry points of a group: bundled ones first, then by distribution and name."""
    found = {
        _from_entry_point(point): None for point in importlib.metadata.entry_points(group=group)
    }
    return sorted(found, key=_rank)


def without_disabled(
    candidates: Sequence[Candidate], disabled: Iterable[str], only: Sequence[str] | None
) -> tuple[list[Candidate], list[Candidate]]:
    """Split candidates into those to load and those to leave out.

    Args:
        candidates: what is installed.
        disabled: names of plugins or distributions to leave out, or ``all``.
        only: names to restrict others to; bundled plugins are left out by ``disabled`` alone.
    """
    off = {*disabled, *_from_environment()}
    kept: list[Candidate] = []
    left_out: list[Candidate] = []
    for candidate in candidates:
        is_off = "all" in off or bool(candidate.names & off)
        is_chosen = only is None or candidate.is_bundled or bool(candidate.names & set(only))
        (kept if is_chosen and not is_off else left_out).append(candidate)
    return kept, left_out


def object_candidate(item: Any, name: str = "") -> Candidate:
    """Return the candidate for a module, an object, the path of a file, or a module's name."""
    if isinstance(item, Candidate):
        return item
    if isinstance(item, os.PathLike) or (isinstance(item, str) and looks_like_path(item)):
        path = Path(item)
        return Candidate(name or path.stem, lambda: _load_file(path), location=str(path))
    if isinstance(item, str):
        return Candidate(name or item, lambda: importlib.import_module(item), location=item)
    if isinstance(item, ModuleType):
        return Candidate(name or item.__name__, lambda: item, location=item.__name__)
    kind = item.__name__ if isinstance(item, type) else type(item).__name__
    return Candidate(name or kind, lambda: item, location=hex(id(item)))


def extra_candidates(items: Iterable[Any]) -> list[Candidate]:
    """Return the candidates for what was named, each once however often it was named."""
    by_source: dict[Any, Candidate] = {}
    for item in items:
        by_source.setdefault(_source(item), object_candidate(item))
    return list(by_source.values())


def looks_like_path(item: str) -> bool:
    """Say whether a plugin is named by its file."""
    return item.endswith(".py") or "/" in item or os.sep in item


def _rank(candidate: Candidate) -> tuple[bool, str, str, str]:
    return not candidate.is_bundled, candidate.distribution, candidate.name, candidate.location


def _source(item: Any) -> Any:
    if isinstance(item, str) and not looks_like_path(item):
        return item
    return Path(item).resolve() if isinstance(item, str | os.PathLike) else id(item)


def _from_entry_point(point: importlib.metadata.EntryPoint) -> Candidate:
    # An installation that lost its metadata has neither name nor version, whatever the types say.
    distribution = point.dist
    return Candidate(
        point.name,
        point.load,
        (distribution.name or "") if distribution else "",
        (distribution.version or "") if distribution else "",
        point.value,
    )


def _from_environment() -> set[str]:
    return {name.strip() for name in os.environ.get(DISABLE_VARIABLE, "").split(",")} - {""}


def _load_file(path: Path) -> ModuleType:
    """Import a file as a module; registered in ``sys.modules`` so that its classes pickle."""
    if not path.is_file():
        raise PluginError(f"there is no plugin file {str(path)!r}", "Give the path of a .py file.")
    module_name = _module_name(path.resolve())
    spec = importlib.util.spec_from_file_location(module_name, path.resolve())
    if spec is None or spec.loader is None:
        raise PluginError(f"{str(path)!r} is no Python file", "Give the path of a .py file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[module_name]
        raise
    return module


def _module_name(path: Path) -> str:
    """Return a name for a file's module; two files of one name do not share it."""
    name = f"reidcore_plugin_{path.stem}"
    taken = sys.modules.get(name)
    if taken is None or taken.__file__ == str(path):
        return name
    return f"{name}_{zlib.crc32(str(path).encode()):08x}"
