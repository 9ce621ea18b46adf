"""Safe YAML: no tags that build objects, no key given twice, and each key's line."""

from __future__ import annotations

import re
from typing import Any

import yaml

from reidcore._validation import dotted
from reidcore.config.layers import Layer, Origin, Path
from reidcore.errors import ConfigError


class _Loader(yaml.SafeLoader):
    """YAML 1.1's safe types, save dates and base-60 numbers; ``3e-4`` is a number."""


_NUMBERS = {
    "tag:yaml.org,2002:int": r"[-+]?(0|[1-9][0-9_]*|0x[0-9a-fA-F_]+)",
    "tag:yaml.org,2002:float": (
        r"[-+]?([0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)([eE][-+]?[0-9]+)?"
        r"|[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+"
        r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
    ),
}
_LEFT_OUT = {*_NUMBERS, "tag:yaml.org,2002:timestamp"}

_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _LEFT_OUT]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
for _tag, _pattern in _NUMBERS.items():
    _Loader.add_implicit_resolver(_tag, re.compile(f"^(?:{_pattern})$"), list("-+0123456789."))


def parse_value(text: str) -> Any:
    """Parse one YAML value; raises ``yaml.YAMLError`` where it is none."""
    return yaml.load(text, _Loader)


def parse_file(text: str, shown: str) -> Layer:
    """Parse a configuration file.

    Args:
        text: the YAML text.
        shown: the file's name in messages.

    Returns:
        Its values, each with the origin ``shown:line``.

    Raises:
        ConfigError: it is no YAML, gives a key twice, or asks for more than plain values.
    """
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        layer = Layer()
        if root is not None and root.tag != "tag:yaml.org,2002:null":
            _Reader(loader, layer, shown).section(root, ())
        return layer
    except yaml.YAMLError as error:
        raise _not_plain(error, shown) from error
    finally:
        loader.dispose()


class _Reader:
    """Walks the mappings of one document."""

    def __init__(self, loader: _Loader, layer: Layer, shown: str) -> None:
        self._loader = loader
        self._layer = layer
        self._shown = shown
        self._open: set[int] = set()

    def section(self, node: yaml.Node, path: Path) -> None:
        place = dotted(path) or "the file"
        if not isinstance(node, yaml.MappingNode):
            raise self._refused(node, f"{place} holds no keys", "Write 'key: value' lines.")
        if id(node) in self._open:
            raise self._refused(node, f"{place} contains itself", "Remove the YAML alias.")
        self._open.add(id(node))
        self._refuse_repeated_keys(node, path)
        self._loader.flatten_mapping(node)
        if not node.value and path:
            self._layer.set(path, {}, self._origin(node))
        for key_node, value_node in node.value:
            inner = (*path, str(self._loader.construct_object(key_node)))
            if isinstance(value_node, yaml.MappingNode):
                self.section(value_node, inner)
            else:
                value = self._loader.construct_object(value_node, deep=True)
                self._layer.set(inner, value, self._origin(key_node))
        self._open.remove(id(node))

    def _refuse_repeated_keys(self, node: yaml.MappingNode, path: Path) -> None:
        lines: dict[str, int] = {}
        for key_node, _ in node.value:
            key = str(key_node.value)
            line = key_node.start_mark.line + 1
            if key in lines and key != "<<":
                raise self._refused(
                    key_node,
                    f"{dotted((*path, key))} is given twice, in lines {lines[key]} and {line}",
                    "Keep one.",
                )
            lines[key] = line

    def _origin(self, node: yaml.Node) -> Origin:
        return Origin("file", f"{self._shown}:{node.start_mark.line + 1}")

    def _refused(self, node: yaml.Node, what: str, hint: str) -> ConfigError:
        return ConfigError(f"{self._shown}:{node.start_mark.line + 1}: {what}", hint)


def _not_plain(error: yaml.YAMLError, shown: str) -> ConfigError:
    mark = getattr(error, "problem_mark", None)
    place = f"{shown}:{mark.line + 1}" if mark is not None else shown
    told = [getattr(error, part, None) for part in ("context", "problem")]
    problem = " ".join(" ".join(filter(None, told)).split()) or str(error)
    if isinstance(error, yaml.constructor.ConstructorError):
        return ConfigError(
            f"{place}: {problem}", "A configuration holds plain values only: remove the tag."
        )
    return ConfigError(f"{place} is not valid YAML: {problem}", "Look there, and one line above.")
