"""Phase one: find, read and merge what is given, and type the core's keys without any component."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_origin

from pydantic import BaseModel, ValidationError

from reidcore._files import check_isfile
from reidcore._resources import package_file
from reidcore._validation import Place
from reidcore.config.bounds import MAX_FILE
from reidcore.config.layers import Layer, Origin, Tree
from reidcore.config.options import LossOptions
from reidcore.config.overrides import parse_overrides
from reidcore.config.problems import Problem, from_validation, keys_of, refuse, unknown_key
from reidcore.config.schema import Config
from reidcore.config.yaml import parse_file
from reidcore.errors import ConfigError, PluginDefectError, UnknownNameError, UserError, quoted
from reidcore.registry import Entry, find

if TYPE_CHECKING:
    from reidcore.plugins import Plugins

_SECTION = re.compile(r"[^=.]*\.")


class Draft:
    """A configuration whose components' sections are still to be judged.

    Attributes:
        layer: what was given, with its origins.
        problems: mistakes among the core's keys.
        config: the typed configuration; a mistaken key holds its default.
    """

    def __init__(self, layer: Layer) -> None:
        self.layer = layer
        self.problems: list[Problem] = []
        self.config = self._typed(_without_empty_sections(layer.tree, Config))
        self.config._origins = dict(layer.origins)

    @property
    def plugins(self) -> list[str] | None:
        """The plugins that the run is restricted to; None for all.

        Raises:
            ConfigError: the value is not a list of names.
        """
        refuse([problem for problem in self.problems if problem.place[0] == "plugins"], self.layer)
        return self.config.plugins

    def _typed(self, tree: Tree) -> Config:
        self._drop_loose_keys(tree)
        while True:
            try:
                return Config.model_validate(tree)
            except ValidationError as error:
                found = from_validation(error, tree, Config)
            self.problems += found
            for problem in found:
                _drop(tree, problem.place)

    def _drop_loose_keys(self, tree: Tree) -> None:
        """Only sections may stand beside the core's keys, at the top and under ``loss``."""
        loss = tree.get("loss")
        levels: list[tuple[tuple[str, ...], Tree, type[BaseModel]]] = [((), tree, Config)]
        if isinstance(loss, dict):
            levels.append((("loss",), loss, LossOptions))
        for place, section, schema in levels:
            known = keys_of(schema, ())
            for key in [key for key in section if key not in known]:
                if not isinstance(section[key], dict):
                    self.problems.append(unknown_key((*place, key), known))
                    del section[key]


def read_config(
    source: str | Path | Mapping[str, Any] | None = None,
    overrides: Sequence[str] = (),
    flags: Mapping[str, Any] | None = None,
    plugins: Plugins | None = None,
) -> Draft:
    """Read a configuration; defaults < file < flags < overrides.

    Args:
        source: a YAML file, a recipe's name, a nested mapping of values, or None for defaults.
        overrides: ``key=value`` words or ``key value`` pairs.
        flags: nested values from command-line flags, such as ``{"data": {"sources": ["a"]}}``.
        plugins: where recipes are looked up; the current plugins by default.

    Returns:
        A draft; its ``plugins`` tells which plugins the run is restricted to. Mistakes among the
        keys are told by :func:`check_config`, together with those in components' sections.

    Raises:
        ConfigError: the file is missing or no plain YAML, or an override cannot be read.
        UnknownNameError: no recipe bears the name.
    """
    layer = Layer()
    if isinstance(source, Mapping):
        layer.update(Layer.of(source, Origin("file", "the given values")))
    elif source is not None:
        layer.update(read_source(source, plugins))
    layer.update(Layer.of(flags or {}, Origin("flag")))
    layer.update(parse_overrides(overrides))
    return Draft(layer)


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
    layer = parse_file(_text(file, file.name), file.name)
    layer.origins = {path: replace(o, is_of_recipe=True) for path, o in layer.origins.items()}
    return layer


def recipe_file(entry: Entry) -> Traversable:
    """Return the YAML file of a recipe: ``"package:file.yaml"`` or ``"package/file.yaml"``.

    Raises:
        PluginDefectError: the recipe's plugin brings no such file.
    """
    try:
        return package_file(str(entry.target))
    except FileNotFoundError as error:
        raise PluginDefectError(f"{entry.origin} has no file {str(entry.target)!r}") from error


def is_config_file(source: str | Path) -> bool:
    """Say whether a source is a file, and not the name of a recipe."""
    if isinstance(source, Path) or check_isfile(source):
        return True
    return source.endswith((".yaml", ".yml")) or Path(source).is_absolute() or "./" in source


def _text(file: Traversable | Path, shown: str) -> str:
    try:
        with file.open(encoding="utf-8") as opened:
            return opened.read(MAX_FILE + 1)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{shown} is not UTF-8 text", "Save it as UTF-8 YAML.") from error
    except FileNotFoundError as error:
        raise ConfigError(
            f"there is no configuration file {shown}",
            "Give a path to a YAML file, or a recipe's name: reidcore ls configs",
        ) from error
    except OSError as error:
        raise UserError(f"{shown} cannot be read: {error.strerror}", "Check the path.") from error


def _without_empty_sections(tree: Tree, schema: type[BaseModel]) -> Tree:
    """Copy a tree, reading an empty section (YAML's null) as one without keys."""
    copied: Tree = {}
    for key, value in tree.items():
        field = schema.model_fields.get(key)
        inner = field.annotation if field is not None else None
        section = inner if isinstance(inner, type) and issubclass(inner, BaseModel) else None
        own = section is not None or get_origin(inner) is dict
        if value is None and (own or (field is None and schema in (Config, LossOptions))):
            copied[key] = {}
        elif section is not None and isinstance(value, dict):
            copied[key] = _without_empty_sections(value, section)
        else:
            copied[key] = copy.deepcopy(value)
    return copied


def _drop(tree: Tree, place: Place) -> None:
    """Remove a key, or the list that a mistaken item stands in."""
    section = tree
    for part in place[:-1]:
        if not isinstance(inner := section.get(str(part)), dict):
            section.pop(str(part), None)
            return
        section = inner
    section.pop(str(place[-1]), None)


def options_in(words: Sequence[str], datasets: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return dataset -> its options, as words of a command line give them.

    Args:
        words: ``DATASET.OPTION=VALUE`` each, or, of one dataset alone, ``OPTION=VALUE``.
        datasets: those that are asked for.

    Raises:
        UserError: if a word is no option of theirs.
    """
    names = list(dict.fromkeys(datasets))
    for word in words:
        if "=" not in word:
            raise UserError(
                f"{quoted(word)} is no OPTION=VALUE", f"Options are those of {' and '.join(names)}."
            )
        if len(names) > 1 and not _SECTION.match(word):
            raise UserError(
                f"{quoted(word)} says not whose option it is", f"Write {names[0]}.{word}"
            )
    spelled = [word if _SECTION.match(word) else f"{names[0]}.{word}" for word in words]
    sections = read_config(None, spelled).layer.tree
    if other := next((name for name in sections if name not in names), None):
        one = len(names) == 1
        subject = f"dataset {names[0]!r} has" if one else f"datasets {' and '.join(names)} have"
        short = "OPTION=VALUE or " if one else ""
        raise UserError(
            f"the {subject} no section {other!r}", f"Write {short}{names[0]}.OPTION=VALUE."
        )
    return {name: dict(sections.get(name, {})) for name in names}
