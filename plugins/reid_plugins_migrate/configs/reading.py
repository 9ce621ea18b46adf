"""YAML files of other frameworks, with the files that they build on, read as plain values."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from reidcore.errors import ConfigError, quoted

_BASE = "_BASE_"
_MOST_BYTES = 1 << 20
_MOST_FILES = 20


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the values of a file over those of its bases.

    A text that is a literal of Python's, such as ``("a", "b")``, is that literal, as yacs has it.
    Bases lie in the folder that the file's own base names, or below, or in a folder ``configs``
    beside or above, as those of FastReID's projects do; nothing else is opened.

    Raises:
        ConfigError: if a file is missing, no plain YAML of sections, builds on itself, or on one
            outside of the folder.
    """
    values: dict[str, Any] = {}
    for each in reversed(list(_with_bases(path))):
        _merge(values, each)
    return {key: _decoded(value) for key, value in values.items()}


def _with_bases(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the values of a file, of its base, of the base's base, and so on."""
    seen: list[Path] = []
    folder: Path | None = None
    while True:
        place = path.resolve()
        if place in seen:
            raise ConfigError(
                f"{str(path)!r} is its own {_BASE}, by way of {len(seen)} files",
                f"Take {_BASE} out of one of them.",
            )
        if len(seen) == _MOST_FILES:
            raise ConfigError(f"more than {_MOST_FILES} files build on one another, {str(path)!r}")
        seen.append(place)
        values = _one_file(path)
        base = values.pop(_BASE, None)
        yield values
        if base is None:
            return
        folder = folder or _folder_of_bases(path, base)
        path = _base_of(path, base, folder)


def _folder_of_bases(path: Path, base: object) -> Path:
    """Return the folder that bases may lie in: the file's, or the one above it."""
    is_above = isinstance(base, str) and Path(base).parts[:1] == ("..",)
    return path.resolve().parent.parent if is_above else path.resolve().parent


def _base_of(path: Path, base: object, folder: Path) -> Path:
    if not isinstance(base, str):
        raise ConfigError(f"{_BASE} of {str(path)!r} is {quoted(base)}", "Give the path of a file.")
    found = path.parent / base
    allowed = [folder, *(above / "configs" for above in path.resolve().parents)]
    if not any(found.resolve().is_relative_to(each) for each in allowed):
        raise ConfigError(
            f"{_BASE} of {str(path)!r} is {base!r}, which lies outside of {str(folder)!r}",
            "Copy that file beside this one, and name it there.",
        )
    return found


def _one_file(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_BYTES + 1)
        if len(text) > _MOST_BYTES:
            raise ConfigError(f"{str(path)!r} has more than {_MOST_BYTES:,} bytes")
        values = yaml.safe_load(text)
    except OSError as error:
        raise ConfigError(
            f"cannot read {str(path)!r}: {error.strerror}", "Give a YAML file."
        ) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        told = " ".join(str(error).split())
        raise ConfigError(
            f"{str(path)!r} is no YAML of plain values: {told}",
            "Tags such as !!python build objects, and are not read: write the value itself.",
        ) from error
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise ConfigError(
            f"{str(path)!r} holds no sections", "Give a YAML file of a configuration."
        )
    return values


def _merge(below: dict[str, Any], above: dict[str, Any]) -> None:
    for key, value in above.items():
        if isinstance(value, dict) and isinstance(below.get(key), dict):
            _merge(below[key], value)
        else:
            below[key] = value


def _decoded(value: Any) -> Any:
    """Return a value as yacs reads it."""
    if isinstance(value, dict):
        return {str(key): _decoded(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_decoded(each) for each in value]
    if not isinstance(value, str):
        return value
    try:
        found = ast.literal_eval(value)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return value
    return list(found) if isinstance(found, tuple) else found
