"""What of a PT2 file's graph PyTorch's reader would run, besides operators.

The graph is JSON, and yet not inert: PyTorch's reader evaluates its expressions and guards as
Python, looks operators up by any path below ``torch``, and writes names into source code. So the
graph is read first, and one that has more than a network of ours has is refused.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

_OPERATOR = re.compile(
    r"torch\.ops\.(aten|prims|higher_order|torchvision)\.\w+(\.\w+)?"
    r"|_operator\.(abs|add|and_|eq|floordiv|ge|getitem|gt|le|lt|mod|mul|ne|neg|not_|or_|pos|pow|sub"
    r"|truediv)|math\.(ceil|floor|sqrt|trunc)|torch\.sym_(float|int|ite|max|min|not|sqrt)"
)
_NAME = re.compile(r"[\w.]*")
_SYMBOL = re.compile(r"[a-z]+\d+")
_OPERATORS = ("target", "as_operator")
_EXPRESSIONS = ("expr_str", "guards_code")
_SPECS = ("in_spec", "out_spec")
_CONTAINERS = (None, "builtins.tuple", "builtins.list", "builtins.dict")
# Told to people alone: never evaluated, looked up or written into code.
_TEXTS = ("stack_trace", "nn_module_stack", "torch_fn", "as_string", "as_strings", "torch_version")
_CALLABLE = re.compile(
    "Symbol|Integer|Float|Rational|Add|Mul|Pow|Mod|PythonMod|Max|Min|Abs|(Floor|Ceil|Clean)Div"
    "|(Int|Float)TrueDiv|ModularIndexing|ToFloat|(Trunc|Floor|Ceil|Round)ToInt|floor|ceiling"
    "|Eq|Ne|Lt|Le|Gt|Ge|Equality|Unequality|(Strict)?(Less|Greater)Than|And|Or|Not|Where|Piecewise"
)
_ALLOWED = (
    *(ast.Expression, ast.Constant, ast.Name, ast.Load, ast.Call, ast.keyword, ast.Tuple),
    *(ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare),
    *(ast.operator, ast.unaryop, ast.boolop, ast.cmpop),
)


def asks_to_run(text: bytes | str) -> str | None:
    """Return what in a graph is more than operators on tensors, or None.

    Raises:
        ValueError: if it is no JSON.
    """
    for key, value in _strings(json.loads(text), ""):
        if not _is_inert(key, value):
            return f"{key} {value[:80]!r}"
    return None


def _strings(node: Any, key: str) -> Iterator[tuple[str, str]]:
    """Yield each text with the key under which it, or the list that has it, stands; and keys."""
    if isinstance(node, dict):
        for name, value in node.items():
            yield "name", name
            yield from _strings(value, name)
    elif isinstance(node, list):
        for value in node:
            yield from _strings(value, key)
    elif isinstance(node, str):
        yield key, node


def _is_inert(key: str, value: str) -> bool:
    if key in _TEXTS:
        return True
    if key in _OPERATORS and "." in value:
        return _OPERATOR.fullmatch(value) is not None
    if key in _EXPRESSIONS:
        return _is_arithmetic(value)
    if key in _SPECS:
        return all(kind in _CONTAINERS for kind in _containers(json.loads(value)))
    return _NAME.fullmatch(value) is not None or key == "type"


def _containers(spec: Any) -> Iterator[Any]:
    if isinstance(spec, dict):
        yield spec.get("type")
        spec = spec.get("children_spec", [])
    for each in spec if isinstance(spec, list) else []:
        yield from _containers(each)


def _is_arithmetic(text: str) -> bool:
    """Tell whether an expression computes with numbers and symbols, and does nothing else."""
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    nodes = list(ast.walk(tree))
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    called = {id(call.func): call.func for call in calls}
    names_of_symbols = {id(call.args[0]) for call in calls if _is_symbol(call)}
    return (
        all(isinstance(node, _ALLOWED) for node in nodes)
        and all(
            isinstance(each, ast.Name) and _CALLABLE.fullmatch(each.id) for each in called.values()
        )
        and all(
            _SYMBOL.fullmatch(node.id)
            for node in nodes
            if isinstance(node, ast.Name) and id(node) not in called
        )
        # SymPy evaluates text anywhere but as a symbol's name.
        and all(
            not isinstance(node.value, str) or id(node) in names_of_symbols
            for node in nodes
            if isinstance(node, ast.Constant)
        )
    )


def _is_symbol(call: ast.Call) -> bool:
    named = isinstance(call.func, ast.Name) and call.func.id == "Symbol" and bool(call.args)
    if not named or not isinstance(call.args[0], ast.Constant):
        return False
    name = call.args[0].value
    return isinstance(name, str) and _SYMBOL.fullmatch(name) is not None
