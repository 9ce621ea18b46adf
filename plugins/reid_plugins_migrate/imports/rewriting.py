"""The edits that turn a file's imports of Torchreid, and its uses of them, into reidcore's."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from reid_plugins_migrate.imports.names import (
    FACADES,
    Absent,
    Home,
    Names,
    Path,
    below_package,
    torchreid_names,
)
from reid_plugins_migrate.imports.scopes import Binding, Found, Statement, Use, find_torchreid
from reid_plugins_migrate.imports.source import Edit, Source
from reid_plugins_migrate.imports.statements import Line, Taken, edited_from, star_names

_DOTTED = re.compile(r"torchreid(\.[A-Za-z_]\w*)+")
# An argument that begins so: "torchreid", f"torchreid.{name}", "torchreid." + name.
_MADE = re.compile(r"""f?['"]torchreid\b""")
_OF_TYPES = re.compile(r"#\s*type:[^\r\n]*\btorchreid\b[^\r\n]*")
_UNKNOWN = "Torchreid 1.4 has no such name. Did the script extend Torchreid itself?"


@dataclass(frozen=True, order=True)
class Remark:
    """What the rewriting leaves to the author.

    Attributes:
        line: its line in the file.
        what: what is there.
        advice: what to do.
    """

    line: int
    what: str
    advice: str


@dataclass
class Rewriting:
    """What becomes of a file.

    Attributes:
        edits: of its text.
        remarks: what it still needs from its author, by line.
    """

    edits: list[Edit] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)


def rewrite(text: str, names: Names | None = None) -> Rewriting:
    """Return the edits of a Python file's text.

    Args:
        text: the file's.
        names: the table; the bundled one by default.

    Raises:
        SyntaxError: if the text is no Python 3.
    """
    tree = ast.parse(text)
    table = names or torchreid_names()
    return _Rewriter(Source(text), table, find_torchreid(tree, table)).rewriting(tree)


class _Rewriter:
    def __init__(self, source: Source, names: Names, found: Found) -> None:
        self.source, self.table, self.found = source, names, found
        self.result = Rewriting()
        self.plans = [_Plan(binding, names) for binding in found.bindings]
        self.added: dict[str, str] = {}  # names that added imports bind, with their modules

    def rewriting(self, tree: ast.Module) -> Rewriting:
        for plan in self.plans:
            self._rewrite_uses(plan)
        for statement in self.found.statements:
            self._rewrite_statement(statement)
        for line, text in _strings(tree):
            self._tell(line, f"the text {text}", "Texts are left as they are: change it.")
        for line, comment in self.source.found(_OF_TYPES):
            self._tell(line, comment, "Comments are left as they are: change it.")
        self.result.remarks = sorted(set(self.result.remarks))
        return self.result

    def _rewrite_uses(self, plan: _Plan) -> None:
        for use in plan.binding.uses:
            found = self.table.find(use.path) if use.path else None
            start, end = self.source.span(use.nodes[0])[0], self.source.span(use.nodes[-1])[1]
            if (new := self._use(plan, use, found)) is None:
                continue
            old = self.source.text(start, end)
            if "".join(old.split()) != use.written:
                # Python 3.11 misplaces what stands in a formatted text of several lines.
                told = f"{use.written} in a formatted text"
                self._tell(use.nodes[0].lineno, told, f"Write {new} there.")
            elif new != old:
                self.result.edits.append(Edit(start, end, new))

    def _use(self, plan: _Plan, use: Use, found: Home | Absent | None) -> str | None:
        """Return what a use becomes; None if it stays, which is told where it has to be."""
        line, dotted = use.nodes[0].lineno, ".".join(("torchreid", *use.path))
        if isinstance(found, Home):
            return plan.text_of(found) or self._imported(plan, found)
        if not self.table.is_module(use.path) and use.path:
            if not plan.binding.is_rebound:
                self._tell(line, dotted, found.advice if found else _UNKNOWN)
            return None
        if len(use.path) > 1:
            self._tell(line, f"the module {dotted}", "It is passed on whole; name what it is for.")
            return None
        return plan.text_of_module(use.path)

    def _imported(self, plan: _Plan, home: Home) -> str:
        """Return the text of a name that needs an import of its own, which is added."""
        is_taken = home.name in self.found.names and self.added.get(home.name) != home.module
        if is_taken:
            plan.extra.append(f"import {home.module}")
            return f"{home.module}.{home.name}"
        self.added[home.name] = home.module
        plan.extra.append(f"from {home.module} import {home.name}")
        return home.name

    def _rewrite_statement(self, node: Statement) -> None:
        plans = {plan.binding.name: plan for plan in self.plans if node in plan.binding.statements}
        if isinstance(node, ast.Import):
            edits = list(self._edits_of_import(node, plans))
        else:
            edits = edited_from(self.source, node, list(self._taken(node, plans)))
        self.result.edits += edits
        extra = dict.fromkeys(line for plan in plans.values() for line in plan.extra)
        if extra:
            self.result.edits.append(Line(self.source, node).added(list(extra)))

    def _edits_of_import(self, node: ast.Import, plans: dict[str, _Plan]) -> Iterator[Edit]:
        for alias in node.names:
            path = below_package(alias.name)
            plan = plans.get(alias.asname or "torchreid")
            if path is None or plan is None:
                continue
            start, end = self.source.span(alias)
            new = plan.import_of(path if not alias.asname else ())
            if new is not None:
                yield Edit(start, end, new)

    def _taken(self, node: ast.ImportFrom, plans: dict[str, _Plan]) -> Iterator[Taken]:
        module = below_package(node.module or "") or ()
        for alias in node.names:
            bound = alias.asname or alias.name
            if alias.name == "*":
                yield from self._star(node, module, plans)
            elif plan := plans.get(bound):
                yield plan.taken() or Taken(node.module, alias.name, bound)
            else:
                yield self._name(node, (*module, alias.name), bound)

    def _name(self, node: ast.ImportFrom, path: Path, bound: str) -> Taken:
        found = self.table.find(path) if path[:-1] or path[-1] == "__version__" else None
        if isinstance(found, Home):
            return Taken(found.module, found.name, bound)
        advice = found.advice if found else _UNKNOWN
        self._tell(node.lineno, ".".join(("torchreid", *path)), advice)
        return Taken(node.module, path[-1], bound)

    def _star(self, node: ast.ImportFrom, module: Path, plans: dict[str, _Plan]) -> Iterator[Taken]:
        """Yield the names of a star import that the file uses, modules among them."""
        told = f"from {node.module} import *"
        if not self.table.is_module(module):
            self._tell(node.lineno, told, _UNKNOWN)
            yield Taken(node.module, "*", "*")
            return
        self._tell(node.lineno, told, "What other files take from this one by it is not seen.")
        used = star_names(self.table, ".".join(module), self.found.free)
        modules = {name: plan for name, plan in plans.items() if plan.binding.uses}
        if not used and not modules:
            facade = module[0] if module and module[0] in FACADES else ""
            yield Taken(f"reidcore.{facade}".rstrip("."), "*", "*")
        for name, plan in modules.items():
            yield plan.taken() or Taken(node.module, name, name)
        for name in used:
            yield self._name(node, (*module, name), name)

    def _tell(self, line: int, what: str, advice: str) -> None:
        self.result.remarks.append(Remark(line, what, advice))


class _Plan:
    """What becomes of a name that is bound to Torchreid's package or to one of its modules.

    Attributes:
        binding: the name.
        extra: imports to add beside it.
    """

    def __init__(self, binding: Binding, names: Names) -> None:
        self.binding, self.extra = binding, list[str]()
        self.is_used = False  # under its new name
        paths = [use.path for use in binding.uses]
        found = [names.find(path) if path else None for path in paths]
        homes = [home for home in found if isinstance(home, Home)]
        whole = [path for path in paths if not path or names.is_module(path)]
        self.has_absent = len(homes) + len(whole) < len(paths) and not binding.is_rebound
        self.is_left = self.has_absent and not homes
        self.module = _module_of(binding.path, homes, names)
        self.is_renamed = not binding.path and binding.name == "torchreid"
        self.name = binding.name
        if (self.is_renamed and not binding.is_global) or (not binding.path and self.has_absent):
            self.name = "reidcore"

    def text_of(self, home: Home) -> str | None:
        """Return a name by this binding; None if it is not below it."""
        if not self.binding.path:
            is_below = home.module.partition(".")[0] == "reidcore"
            below = home.module.removeprefix("reidcore")
            self.is_used |= is_below
            return f"{self.name}{below}.{home.name}" if is_below else None
        is_here = home.module == self.module and not self.has_absent
        return f"{self.name}.{home.name}" if is_here else None

    def text_of_module(self, path: Path) -> str | None:
        """Return the package, or one of its facades, by this binding."""
        if self.is_left or self.binding.path:
            return None
        self.is_used = True
        return ".".join((self.name, *path))

    def import_of(self, path: Path) -> str | None:
        """Return what ``import`` has in the place of ``torchreid.path``; None if it stays."""
        if self.is_left or (self.binding.path and self.has_absent):
            return None
        if self.binding.path:
            return f"{self.module} as {self.name}"
        below = f".{path[0]}" if path and path[0] in FACADES else ""
        new = f"reidcore{below}"
        if self.has_absent:
            if not self.is_used:
                return None
            old = ".".join(("torchreid", *path))
            kept = old if self.is_renamed else f"torchreid as {self.binding.name}"
            return f"{kept}, {new}"
        return new if self.name == "reidcore" else f"reidcore as {self.name}"

    def taken(self) -> Taken | None:
        """Return what ``from ... import`` has in its place; None if it stays."""
        if self.has_absent:
            return None
        above, _, last = self.module.rpartition(".")
        return Taken(above, last, self.binding.name)


def _module_of(path: Path, homes: list[Home], names: Names) -> str:
    """Return the module that most uses of one of Torchreid's are in, or that most names are in."""
    if not path:
        return "reidcore"
    among = homes or list(names.homes(".".join(path)).values())
    own = f"reidcore.{path[0]}"
    if not among or (len(path) == 1 and path[0] in FACADES):
        return own
    return Counter(home.module for home in among).most_common(1)[0][0]


def _strings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield texts that name Torchreid's modules, as ``import_module`` takes them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if _DOTTED.fullmatch(node.value):
                yield node.lineno, repr(node.value)
        elif isinstance(node, ast.Call) and node.args:
            called, first = ast.unparse(node.func).rpartition(".")[2], ast.unparse(node.args[0])
            if called in ("import_module", "__import__", "find_spec") and _MADE.match(first):
                yield node.lineno, first
