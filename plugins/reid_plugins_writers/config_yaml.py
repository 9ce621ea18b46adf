"""A configuration as YAML that can be run again, with the origin of each value as a comment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import yaml

from reidcore.config import resolved
from reidcore.errors import printable

if TYPE_CHECKING:
    from reidcore.config import Config
    from reidcore.plugins import Plugins


def as_yaml(config: Config, plugins: Plugins | None = None) -> str:
    """Return the configuration as YAML that can be run again, with the origin of each value.

    Args:
        config: as for `resolved`.
        plugins: as for `resolved`.
    """

    def lines(section: dict[str, Any], above: tuple[str, ...]) -> Iterator[str]:
        for name, value in section.items():
            path = (*above, name)
            start = f"{'  ' * len(above)}{dump_value(name)}:"
            if isinstance(value, dict) and value:
                yield start
                yield from lines(value, path)
            else:
                origin = printable(config.origin(path), one_line=True)
                yield f"{start} {dump_value(value)}  # {origin}"

    return "\n".join(lines(resolved(config, plugins), ()))


class _Dumper(yaml.SafeDumper):
    """Quotes all text but words, with the escapes that Python has for what an encoding lacks."""


_WORD = re.compile(r"[A-Za-z_/][A-Za-z0-9_./+-]*")
_Dumper.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, style=None if _WORD.fullmatch(text) else '"'
    ),
)


def dump_value(value: Any) -> str:
    """Return a plain value as YAML on one line."""
    text = str(
        yaml.dump(
            value,
            Dumper=_Dumper,
            default_flow_style=True,
            width=float("inf"),
            allow_unicode=True,
            sort_keys=False,
        )
    )
    return text.removesuffix("\n").removesuffix("\n...")
