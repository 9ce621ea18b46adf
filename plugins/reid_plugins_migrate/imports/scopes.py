"""What a file binds to Torchreid, and where it uses that, scope by scope.

A name that a function binds itself, a parameter ``data`` say, is not the ``data`` of
``from torchreid import data``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from reid_plugins_migrate.imports.names import Names, Path, below_package, without_repacking

Statement: TypeAlias = ast.Import | ast.ImportFrom
_Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(eq=False)
class Binding:
    """A name that an import binds to Torchreid's package or to one of its modules.

    Attributes:
        name: the name in the file.
        path: what it is bound to; () is the package.
        statements: the imports that bind it so.
        uses: where it is used.
        is_global: whether a ``global`` or ``nonlocal`` names it, which has no place to rewrite.
        is_rebound: whether the scope binds the name to something else too.
    """

    name: str
    path: Path
    statements: list[Statement]
    uses: list[Use] = field(default_factory=list)
    is_global: bool = False
    is_rebound: bool = False


@dataclass(frozen=True)
class Use:
    """A name, with the attributes that are asked of it: ``torchreid.data.transforms``.

    Attributes:
        nodes: the name, and each attribute around it.
        path: the binding's path with the attributes: a module's, or one in a module.
    """

    nodes: tuple[ast.Name | ast.Attribute, ...]
    path: Path

    @property
    def written(self) -> str:
        """The use as the file has it, without spaces."""
        return ast.unparse(self.nodes[-1])


@dataclass(frozen=True)
class Found:
    """What a file has of Torchreid.

    Attributes:
        statements: its imports of Torchreid, in their order.
        bindings: the names that they bind to the package or its modules.
        names: every name that the file binds or uses.
        free: names that no scope of the file binds.
    """

    statements: list[Statement]
    bindings: list[Binding]
    names: set[str]
    free: set[str]


class _Scope:
    """A module, class, function or comprehension, and the names that it binds."""

    def __init__(self, above: _Scope | None = None, is_class: bool = False) -> None:
        self.above, self.is_class = above, is_class
        self.bound: set[str] = set()
        self.torchreid: dict[str, Binding] = {}
        self.elsewhere: set[str] = set()  # declared global or nonlocal

    def lookup(self, name: str) -> Binding | str | None:
        """Return the binding of a name, the name itself if it is another's; None if it is free."""
        scope: _Scope | None = self
        while scope is not None:
            if (scope is self or not scope.is_class) and name not in scope.elsewhere:
                if found := scope.torchreid.get(name):
                    return found
                if name in scope.bound:
                    return name
            scope = scope.above
        return None


def find_torchreid(tree: ast.Module, names: Names) -> Found:
    """Return what a file has of Torchreid."""
    binder = _Binder(names)
    binder.inside(tree.body, binder.top)
    binder.bind_modules_of_stars()
    user = _User(binder, names)
    user.visit(tree)
    return Found(binder.statements, binder.bindings, user.names, user.free)


class _Binder:
    """Finds what each scope binds."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.top = _Scope()
        self.scopes: dict[ast.AST, _Scope] = {}
        self.statements: list[Statement] = []
        self.bindings: list[Binding] = []

    def inside(self, nodes: Sequence[ast.AST], scope: _Scope) -> None:
        """Bind what nodes bind in a scope."""
        for node in nodes:
            self._bind(node, scope)

    def _bind(self, node: ast.AST, scope: _Scope) -> None:
        scope.bound.update(_names_bound_by(node))
        if isinstance(node, ast.Import | ast.ImportFrom):
            self._bind_import(node, scope)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            scope.elsewhere.update(node.names)
            for name in node.names:
                if isinstance(found := scope.lookup(name), Binding):
                    found.is_global = True
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            self._open(node, scope, parameters=node.args)
            return
        elif isinstance(node, ast.ClassDef):
            self._open(node, scope)
            return
        elif isinstance(node, _COMPREHENSIONS):
            self.scopes[node] = inner = _Scope(scope)
            self.inside(list(ast.iter_child_nodes(node)), inner)
            return
        self.inside(list(ast.iter_child_nodes(node)), scope)

    def _open(
        self,
        node: _Function | ast.ClassDef,
        scope: _Scope,
        parameters: ast.arguments | None = None,
    ) -> None:
        self.scopes[node] = inner = _Scope(scope, is_class=isinstance(node, ast.ClassDef))
        if parameters is not None:
            inner.bound.update(each.arg for each in _parameters(parameters))
        self.inside(body_of(node), inner)
        self.inside(outside_of(node), scope)

    def _bind_import(self, node: Statement, scope: _Scope) -> None:
        bound = list(_bindings_of(node, self.names))
        if bound or is_of_torchreid(node):
            self.statements.append(node)
        for binding in bound:
            where = self.top if binding.name in scope.elsewhere else scope
            known = where.torchreid.get(binding.name)
            if known is not None and known.path == binding.path:
                known.statements.append(node)
                continue
            binding.is_global = where is not scope
            self._remember(binding, where)

    def _remember(self, binding: Binding, scope: _Scope) -> None:
        scope.torchreid[binding.name] = binding
        self.bindings.append(binding)

    def bind_modules_of_stars(self) -> None:
        """Bind the modules that ``from torchreid import *`` brings, where the file has no such."""
        for node in self.statements:
            if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
                package = path_of(node, node.names[0])[:-1]
                for name in self.names.inside(package):
                    if name not in self.top.bound:
                        self.top.bound.add(name)
                        self._remember(Binding(name, (*package, name), [node]), self.top)


class _User(ast.NodeVisitor):
    """Finds where bindings are used."""

    def __init__(self, binder: _Binder, names: Names) -> None:
        self.binder, self.table = binder, names
        self.scope = binder.top
        self.names: set[str] = set()
        self.free: set[str] = set()

    def visit(self, node: ast.AST) -> None:
        """Visit a node in its scope."""
        self.names.update(_names_bound_by(node))
        if isinstance(node, ast.Name | ast.Attribute) and (nodes := _chain(node)):
            self._use(nodes)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            for each in outside_of(node):
                self.visit(each)
            self._inside(node, body_of(node))
        elif isinstance(node, _COMPREHENSIONS):
            self._inside(node, list(ast.iter_child_nodes(node)))
        else:
            super().visit(node)

    def _inside(self, node: ast.AST, body: Sequence[ast.AST]) -> None:
        outer, self.scope = self.scope, self.binder.scopes[node]
        for each in body:
            self.visit(each)
        self.scope = outer

    def _use(self, nodes: tuple[ast.Name | ast.Attribute, ...]) -> None:
        name = nodes[0].id if isinstance(nodes[0], ast.Name) else ""
        self.names.add(name)
        found = self.scope.lookup(name)
        if found is None:
            self.free.add(name)
        if isinstance(found, Binding):
            found.uses.append(_use_of(found, nodes, self.table))
            found.is_rebound |= len(nodes) == 1 and not isinstance(nodes[0].ctx, ast.Load)


def _use_of(binding: Binding, nodes: tuple[ast.Name | ast.Attribute, ...], names: Names) -> Use:
    """Return a use: attributes up to the first name that is in a module, or is unknown."""
    path, taken = binding.path, 1
    for node in nodes[1:]:
        assert isinstance(node, ast.Attribute)
        further = without_repacking((*path, node.attr))
        path, taken = further, taken + 1
        if further and (names.find(further) is not None or not names.is_module(further)):
            break
    return Use(nodes[:taken], path)


def _chain(node: ast.Name | ast.Attribute) -> tuple[ast.Name | ast.Attribute, ...]:
    """Return a name and the attributes around it, from the inside; () if a call is inside."""
    found: list[ast.Name | ast.Attribute] = []
    inner: ast.expr = node
    while isinstance(inner, ast.Attribute):
        found.append(inner)
        inner = inner.value
    return (inner, *reversed(found)) if isinstance(inner, ast.Name) else ()


def is_of_torchreid(node: Statement) -> bool:
    """Whether a statement imports anything of Torchreid."""
    if isinstance(node, ast.ImportFrom):
        return not node.level and below_package(node.module or "") is not None
    return any(below_package(alias.name) is not None for alias in node.names)


def path_of(node: ast.ImportFrom, alias: ast.alias) -> Path:
    """Return what a name that a statement takes from Torchreid is called below its package."""
    return without_repacking((*(below_package(node.module or "") or ()), alias.name))


def _bindings_of(node: Statement, names: Names) -> Iterator[Binding]:
    """Yield what a statement binds to the package or its modules."""
    if not is_of_torchreid(node):
        return
    for alias in node.names:
        if isinstance(node, ast.Import):
            path = below_package(alias.name)
            if path is not None:
                path = path if alias.asname else ()
                yield Binding(alias.asname or "torchreid", path, [node])
            continue
        path = path_of(node, alias)
        if not path or (names.is_module(path) and names.find(path) is None):
            yield Binding(alias.asname or alias.name, path, [node])


def _names_bound_by(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.id
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Import | ast.ImportFrom):
        for alias in node.names:
            yield alias.asname or alias.name.partition(".")[0]
    elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
        yield node.name
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest


def _parameters(given: ast.arguments) -> list[ast.arg]:
    several = [each for each in (given.vararg, given.kwarg) if each is not None]
    return [*given.posonlyargs, *given.args, *given.kwonlyargs, *several]


def body_of(node: _Function | ast.ClassDef) -> list[ast.AST]:
    """Return what is inside of a function's or class's own scope."""
    return [node.body] if isinstance(node, ast.Lambda) else list(node.body)


def outside_of(node: _Function | ast.ClassDef) -> list[ast.AST]:
    """Return what belongs to it and is evaluated in the scope around it."""
    body = {id(each) for each in body_of(node)}
    return [each for each in ast.iter_child_nodes(node) if id(each) not in body]
