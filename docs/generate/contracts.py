"""Write docs/contracts.md from the conformance classes: what a component of each kind promises.

Run: python docs/generate/contracts.py
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from reid_plugins_scaffold.conformance.base import Conformance, checks_of, heading_of
from reid_plugins_scaffold.conformance.checking import CLASSES, class_of
from reid_plugins_scaffold.conformance.contract import contract_of

PAGE = Path(__file__).parents[1] / "contracts.md"

INTRODUCTION = """\
# Contracts

What a component of each kind promises, and what to do where it does not. The classes of
`reidcore.testing.conformance` check it: in a plugin's tests, and by `reidcore plugins check NAME`
([plugins.md](plugins.md#conformance)). *This page is generated from the checks: `make docs`.*
"""


def page() -> str:
    """Return the page: a section for each kind, a row for each of its checks."""
    return "\n".join([INTRODUCTION, *(_section(class_of(kind)) for kind in CLASSES)])


def _section(kind: type[Conformance]) -> str:
    summary = (kind.__doc__ or "").partition("\n\n")[0].strip()
    head = [f"## {heading_of(kind)}", "", f"`{kind.__name__}`: {summary}", ""]
    return "\n".join([*head, "| Contract | If it is broken |", "|---|---|", *_rows(kind), ""])


def _rows(kind: type[Conformance]) -> Iterator[str]:
    for name in checks_of(kind):
        kept = contract_of(getattr(kind, name))
        yield f"| {_cell(kept.rule)} | {_cell(kept.remedy)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
