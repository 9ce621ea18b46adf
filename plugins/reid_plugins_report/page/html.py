"""HTML that is safe by how it is made: text is escaped, and only `tag` makes elements."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from typing import TypeAlias

from reidcore.errors import printable

_NAME = re.compile(r"[a-zA-Z][\w-]*")
_VOID = frozenset({"img", "input", "meta", "br", "hr"})


class Html(str):
    """HTML; any other text is escaped where it is put into an element."""

    __slots__ = ()


Child: TypeAlias = "Html | str | int | Iterable[Child] | None"
Attribute: TypeAlias = str | float | bool | None


def tag(element: str, /, *children: Child, **attributes: Attribute) -> Html:
    """Return an element.

    Args:
        element: such as ``"p"``.
        children: what is in it, in order: HTML as it is, text escaped; None is nothing.
        attributes: ``class_`` and ``for_`` lose their underscore, others inside become dashes;
            True is an attribute without a value, False and None are none.

    Raises:
        ValueError: if a name is none of an element or attribute.
    """
    parts = [_checked(element)]
    for key, value in attributes.items():
        attribute = _checked(key.rstrip("_").replace("_", "-"))
        if value is True:
            parts.append(attribute)
        elif value is not None and value is not False:
            shown = f"{value:g}" if isinstance(value, float) else str(value)
            parts.append(f'{attribute}="{_escaped(shown)}"')
    opened = f"<{' '.join(parts)}>"
    if element in _VOID:
        return Html(opened)
    return Html(f"{opened}{joined(*children)}</{element}>")


def joined(*children: Child) -> Html:
    """Return pieces of HTML and text behind one another, text escaped."""
    return Html("".join(_rendered(child) for child in children))


def _rendered(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Html):
        return child
    if isinstance(child, str | int):
        return _escaped(str(child))
    return "".join(_rendered(each) for each in child)


def _escaped(text: str) -> str:
    """Escape text for elements and for attributes; characters that hide or turn text are shown."""
    return escape(printable(text))


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of an element or attribute")
    return name
