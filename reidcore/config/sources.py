"""Find a configuration: a YAML file by its path, or a registered recipe by its name."""

from __future__ import annotations

from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING

from reidcore._resources import package_file
from reidcore.config.layers import Layer
from reidcore.config.yaml import parse_file
from reidcore.errors import ConfigError, PluginError, UnknownNameError, UserError
from reidcore.registry import Entry, find

if TYPE_CHECKING:
    from reidcore.plugins import Plugins


def read_source(source: str | Path, plugins: Plugins | None = None) -> Layer:
    """Read a configuration file or recipe.

    Args:
        source: a path, or the name of a recipe. An existing file is a path, and so is what ends
            in ``.yaml`` or ``.yml`` or has a folder in it.
        plugins: where recipes are looked up.

    Raises:
        ConfigError: the file is missing, unreadable or no plain YAML.
        UnknownNameError: no recipe bears that name.
    """
    if is_config_file(source):
        return parse_file(_text(Path(source), str(source)), str(source))
    try:
        entry = find("configs", str(source), plugins)
    except UnknownNameError as error:
        raise UnknownNameError(f"{source!r} is neither a file nor a recipe", error.hint) from error
    file = recipe_file(entry)
    return parse_file(_text(file, file.name), file.name)


def recipe_file(entry: Entry) -> Traversable:
    """Return the YAML file of a recipe: ``"package:file.yaml"`` or ``"package/file.yaml"``.

    Raises:
        PluginError: the recipe's plugin brings no such file.
    """
    try:
        return package_file(str(entry.target))
    except FileNotFoundError as error:
        raise PluginError(
            f"{entry.label} of plugin {entry.plugin!r} has no file {str(entry.target)!r}",
            "That is a mistake in the plugin; tell its author.",
        ) from error


def is_config_file(source: str | Path) -> bool:
    """Say whether a source is a file, and not the name of a recipe."""
    if isinstance(source, Path) or Path(source).is_file():
        return True
    return source.endswith((".yaml", ".yml")) or Path(source).is_absolute() or "./" in source


def _text(file: Traversable | Path, shown: str) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{shown} is not UTF-8 text", "Save it as UTF-8 YAML.") from error
    except FileNotFoundError as error:
        raise ConfigError(
            f"there is no configuration file {shown}",
            "Give a path to a YAML file, or a recipe's name: reidcore ls configs",
        ) from error
    except OSError as error:
        raise UserError(f"{shown} cannot be read: {error.strerror}", "Check the path.") from error
