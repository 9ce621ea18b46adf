"""Safe YAML: no tags that build objects, no key given twice, and each key's line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from reidcore._validation import dotted
from reidcore._wording import shortened
from reidcore.config.bounds import MAX_DEPTH, MAX_FILE, MAX_NUMBER, MAX_VALUES
from reidcore.config.layers import Layer, Origin, Path
from reidcore.errors import ConfigError


class RefusedYamlError(yaml.MarkedYAMLError):
    """YAML that a configuration may not hold, such as a key given twice."""


class _Loader(yaml.SafeLoader):
    """YAML 1.1's null, switches, numbers, text, lists and mappings; ``3e-4`` is a number."""

    def __init__(self, text: str) -> None:
        if len(text) > MAX_FILE:
            problem = f"more than {MAX_FILE:,} characters"
            raise RefusedYamlError(problem=problem, note="Is it a configuration?")
        super().__init__(text)
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            problem = f"more than {MAX_DEPTH} levels are nested"
            raise _refused(self.get_mark(), problem, "Put fewer lists or sections in one another.")
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def get_single_node(self) -> yaml.Node | None:
        """Return the document, inspected; what the scanner stumbles over is bad YAML."""
        try:
            root = super().get_single_node()
        except (ValueError, OverflowError) as error:  # such as the escape "\UFFFFFFFF"
            raise yaml.MarkedYAMLError(problem=str(error), problem_mark=self.get_mark()) from error
        if root is not None:
            _Inspection().size_of(root, ())
        return root

    def construct_plain(self, node: yaml.Node) -> Any:
        """Construct a null, a switch or a number."""
        kind = node.tag.rpartition(":")[2]
        written = str(node.value)
        if len(written) > MAX_NUMBER:
            problem = f"the value has {len(written):,} characters"
            wanted = f"{_KINDS[kind]} in at most {MAX_NUMBER} characters, such as {_SUCH_AS[kind]}"
            raise _refused(node.start_mark, problem, f"Write {wanted}.")
        try:
            return yaml.SafeLoader.yaml_constructors[node.tag](self, node)
        except (ValueError, LookupError) as error:
            problem = f"expected {_KINDS[kind]}, not {written!r}"
            raise _refused(node.start_mark, problem) from error


_PREFIX = "tag:yaml.org,2002:"
# Kinds of plain values as messages call them, each with an example.
_KINDS = {"null": "null", "bool": "true or false", "int": "a whole number", "float": "a number"}
_SUCH_AS = {"null": "null", "bool": "true", "int": "100", "float": "3e-4"}
_TEXT, _MAP, _MERGE = f"{_PREFIX}str", f"{_PREFIX}map", f"{_PREFIX}merge"
_PLAIN = [f"{_PREFIX}{kind}" for kind in _KINDS]

_NUMBERS = {
    f"{_PREFIX}int": r"[-+]?(0|[1-9][0-9_]*|0x[0-9a-fA-F_]+)",
    f"{_PREFIX}float": (
        r"[-+]?([0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)([eE][-+]?[0-9]+)?"
        r"|[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+"
        r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
    ),
}
_RESOLVED = {*_PLAIN, _MERGE} - set(_NUMBERS)

_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag in _RESOLVED]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
for _tag, _pattern in _NUMBERS.items():
    _Loader.add_implicit_resolver(_tag, re.compile(f"^(?:{_pattern})$"), list("-+0123456789."))

_Loader.yaml_constructors = {
    tag: yaml.SafeLoader.yaml_constructors[tag] for tag in (_TEXT, _MAP, f"{_PREFIX}seq", None)
} | dict.fromkeys(_PLAIN, _Loader.construct_plain)


def parse_value(text: str) -> Any:
    """Parse one YAML value.

    Raises:
        RefusedYamlError: it holds more than a configuration may.
        yaml.YAMLError: it is no YAML of plain values.
    """
    return yaml.load(text, _Loader)


def parse_file(text: str, shown: str) -> Layer:
    """Parse a configuration file.

    Args:
        text: the YAML text.
        shown: the file's name in messages.

    Returns:
        Its values, each with the origin ``shown:line``.

    Raises:
        ConfigError: it is no YAML, gives a key twice, asks for more than plain values, or is too
            large or too deep.
    """
    layer = Layer()
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        if root is not None and root.tag != f"{_PREFIX}null":
            _fill(layer, loader, root, (), shown)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        told = f"{shown}:{line} holds the character {chr(error.character)!r}"
        raise ConfigError(told, "Remove it: it cannot be shown.") from error
    except yaml.YAMLError as error:
        raise _not_plain(error, shown) from error
    return layer


def _fill(layer: Layer, loader: _Loader, node: yaml.Node, path: Path, shown: str) -> None:
    """Set every key of a section in a layer."""
    origin = Origin("file", f"{shown}:{node.start_mark.line + 1}")
    if not isinstance(node, yaml.MappingNode):
        what = f"{dotted(path) or 'the file'} holds no keys"
        raise ConfigError(f"{origin}: {what}", "Write 'key: value' lines.")
    loader.flatten_mapping(node)
    if not node.value and path:
        layer.set(path, {}, origin)
    for key_node, value_node in node.value:
        inner = (*path, str(loader.construct_object(key_node)))
        if isinstance(value_node, yaml.MappingNode):
            _fill(layer, loader, value_node, inner, shown)
        else:
            value = loader.construct_object(value_node, deep=True)
            layer.set(inner, value, Origin("file", f"{shown}:{key_node.start_mark.line + 1}"))


class _Inspection:
    """Walks a document before anything is made of it; an alias costs what it stands for."""

    def __init__(self) -> None:
        self._sizes: dict[int, tuple[int, int]] = {}
        self._open: set[int] = set()

    def size_of(self, node: yaml.Node, path: Path) -> tuple[int, int]:
        """Return the number of values in a node, and their depth.

        Raises:
            RefusedYamlError: it is too large or too deep, contains itself, or has a key twice.
        """
        if isinstance(node, yaml.ScalarNode):
            return 1, 1
        if id(node) in self._open:
            problem = f"{dotted(path) or 'it'} contains itself"
            raise _refused(node.start_mark, problem, "Remove the alias.")
        if id(node) not in self._sizes:
            self._open.add(id(node))
            inner = [self.size_of(*each) for each in self._inside(node, path)]
            self._open.remove(id(node))
            size, depth = 1 + sum(size for size, _ in inner), 1 + max([0, *(d for _, d in inner)])
            if size > MAX_VALUES or depth > MAX_DEPTH:
                bounds = f"{MAX_VALUES:,} values, or nested more than {MAX_DEPTH} deep"
                raise _refused(node.start_mark, f"more than {bounds}", "Write out fewer.")
            self._sizes[id(node)] = size, depth
        return self._sizes[id(node)]

    def _inside(self, node: yaml.Node, path: Path) -> Iterator[tuple[yaml.Node, Path]]:
        if isinstance(node, yaml.SequenceNode):
            yield from ((item, path) for item in node.value)
            return
        if node.tag != _MAP:
            problem = f"could not determine a constructor for the tag {node.tag!r}"
            raise yaml.constructor.ConstructorError(problem=problem, problem_mark=node.start_mark)
        lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            key, line = key_node.value, key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                problem = f"a key{' of ' if path else ''}{dotted(path)} is no text"
                raise _refused(key_node.start_mark, problem, "Write text before the colon.")
            if key in lines and key != "<<":
                where = f"line {line}" if line == lines[key] else f"lines {lines[key]} and {line}"
                problem = f"{shortened(dotted((*path, key)))} is given twice, in {where}"
                raise _refused(key_node.start_mark, problem, "Keep one.")
            if key_node.tag in _PLAIN:
                key_node.tag = _TEXT  # 'on: 1' has the key "on"
            lines[key] = line
            yield key_node, path
            yield value_node, (*path, key)


def _refused(mark: yaml.Mark, problem: str, hint: str = "") -> RefusedYamlError:
    return RefusedYamlError(problem=problem, problem_mark=mark, note=hint)


def _not_plain(error: yaml.YAMLError, shown: str) -> ConfigError:
    mark = getattr(error, "problem_mark", None)
    place = f"{shown}:{mark.line + 1}" if mark is not None else shown
    told = [getattr(error, part, None) for part in ("context", "problem")]
    problem = shortened(" ".join(" ".join(filter(None, told)).split()) or str(error))
    if isinstance(error, RefusedYamlError):
        return ConfigError(f"{place}: {problem}", error.note or "")
    if isinstance(error, yaml.constructor.ConstructorError):
        return ConfigError(
            f"{place}: {problem}", "A configuration holds plain values only: remove the tag."
        )
    return ConfigError(f"{place} is not valid YAML: {problem}", "Look there, and one line above.")
