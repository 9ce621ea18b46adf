"""Files that packages bring with their code, named ``"package:folder/file.yaml"``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from reidcore.errors import PluginDefectError


def package_file(target: str) -> Traversable:
    """Return the file that ``"package:file.yaml"`` or ``"package/file.yaml"`` names.

    Raises:
        FileNotFoundError: if there is no such package, or no such file in it.
    """
    package, _, inside = target.partition(":") if ":" in target else target.partition("/")
    try:
        file = resources.files(package)
    except ModuleNotFoundError as error:
        raise FileNotFoundError(target) from error
    for part in inside.split("/"):  # a namespace package takes one part at a time
        file = file.joinpath(part)
    if not file.is_file():
        raise FileNotFoundError(target)
    return file


def read_table(target: str) -> Mapping[str, Mapping[str, Any]]:
    """Read a YAML file of a package that maps names to rows, which are mappings themselves.

    Raises:
        PluginDefectError: if it is missing, no such table, or gives a name twice.
    """
    try:
        text = package_file(target).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise PluginDefectError(
            f"there is no table {target!r}", "Does the package bring it?"
        ) from error
    except UnicodeDecodeError as error:
        raise PluginDefectError(f"{target} is not UTF-8 text", "Save it as UTF-8 YAML.") from error
    return _parsed(target, text)


@lru_cache(maxsize=32)
def _parsed(target: str, text: str) -> Mapping[str, Mapping[str, Any]]:
    """Read a table once, since each of its rows asks for it."""
    import yaml

    try:
        root = yaml.compose(text, yaml.SafeLoader)
        table = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise PluginDefectError(
            f"{target}: {' '.join(str(error).split())}", "Mend the YAML."
        ) from error
    if not isinstance(root, yaml.MappingNode) or not isinstance(table, dict):
        raise PluginDefectError(f"{target} holds no table", "Write 'name:' and its row below it.")
    names = [str(key.value) for key, _ in root.value]
    for name in names:
        if names.count(name) > 1:
            raise PluginDefectError(f"{target} has two rows named {name!r}", "Keep one.")
        if not isinstance(table.get(name), dict):
            raise PluginDefectError(
                f"{target}: {name!r} has no row", "Write 'key: value' lines below."
            )
    return table
