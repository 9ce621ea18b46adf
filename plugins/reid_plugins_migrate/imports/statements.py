"""``from ... import`` statements: what they take from where, written anew as far as it must be."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from reid_plugins_migrate.imports.names import Names
from reid_plugins_migrate.imports.scopes import Statement
from reid_plugins_migrate.imports.source import Edit, Source

_MODULE = re.compile(r"from[ \t]+([\w.]+)")
_WIDTH = 88


class Taken(NamedTuple):
    """A name that a statement takes.

    Attributes:
        module: from where; nothing for a module at the top, which is imported as it is.
        name: what it is called there.
        bound: what the file calls it.
    """

    module: str | None
    name: str
    bound: str

    @property
    def alias(self) -> str:
        """The name as a statement has it."""
        return self.name if self.name == self.bound else f"{self.name} as {self.bound}"


class Line:
    """The place of a statement among others.

    Args:
        source: the file.
        node: the statement.
    """

    def __init__(self, source: Source, node: Statement) -> None:
        self.source = source
        self.start, self.end = source.span(node)
        self.indent = source.before(self.start)
        rest = source.text(self.end, source.end_of_line(self.end)).strip()
        self.is_alone = not self.indent.strip() and (not rest or rest.startswith("#"))

    @property
    def between(self) -> str:
        """What separates it from a statement that is added."""
        return f"{self.source.newline}{self.indent}" if self.is_alone else "; "

    def added(self, statements: Iterable[str]) -> Edit:
        """Return the edit that adds statements behind it."""
        end = self.source.end_of_line(self.end) if self.is_alone else self.end
        return Edit(end, end, "".join(f"{self.between}{each}" for each in statements))


def edited_from(source: Source, node: ast.ImportFrom, taken: Sequence[Taken]) -> list[Edit]:
    """Return the edits that make a statement take other names, from other places.

    Args:
        source: the file.
        node: the statement.
        taken: what it takes.
    """
    start, end = source.span(node)
    asked = [alias.asname or alias.name for alias in node.names]
    is_same = [each.bound for each in taken] == asked and all(
        each.name == alias.name for each, alias in zip(taken, node.names, strict=True)
    )
    modules = list(dict.fromkeys(each.module for each in taken))
    if is_same and len(modules) == 1 and modules[0]:
        found = _MODULE.match(source.text(start, end))
        if modules == [node.module] or found is None:
            return []
        return [Edit(start + found.start(1), start + found.end(1), modules[0])]
    line = Line(source, node)
    statements = [_statement(module, taken, line) for module in modules]
    comments = [f"{each}{line.between}" for each in _comments(source.text(start, end))]
    return [Edit(start, end, "".join(comments) + line.between.join(statements))]


def star_names(names: Names, module: str, free: set[str]) -> list[str]:
    """Return the names that ``from module import *`` gives a file that binds no such names."""
    public = {name for name in names.homes(module) if not name.startswith("_")}
    return sorted(public & free)


def _statement(module: str | None, taken: Sequence[Taken], line: Line) -> str:
    aliases = [each.alias for each in taken if each.module == module]
    if not module:
        return f"import {', '.join(aliases)}"
    whole = f"from {module} import {', '.join(aliases)}"
    if not line.is_alone or len(line.indent + whole) <= _WIDTH:
        return whole
    newline, indent = line.source.newline, line.indent
    deeper = "".join(f"{newline}{indent}    {alias}," for alias in aliases)
    return f"from {module} import ({deeper}{newline}{indent})"


def _comments(text: str) -> list[str]:
    """Return the comments within a statement."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return [token.string for token in tokens if token.type == tokenize.COMMENT]
