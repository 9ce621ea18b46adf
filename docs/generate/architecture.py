"""Write the drawing and the list of files in docs/architecture.md from the sources.

Run: python docs/generate/architecture.py
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from pathlib import Path

from import_graph import imported_names

ROOT = Path(__file__).parents[2]
CORE = ROOT / "reidcore"
PAGE = ROOT / "docs" / "architecture.md"

# Modules at the top of the core that stand together, and files that reach up when they are called.
TOGETHER = {"losses": "names", "metrics": "names", "utils": "names"}
SUPPORT, REPORT = "support", "_environment"
REACHING_UP = {"plugins/defaults.py", "plugins/runtime.py"}
UNDRAWN = {"__init__", "__main__", "testing", "names", REPORT}


def blocks() -> dict[str, str]:
    """Return what is generated, by the name of its place in the page."""
    return {"drawing": drawing(), "packages": packages(), "files": files()}


def drawing() -> str:
    """Return the rooms of the core and what they import, as a chart in Mermaid's language.

    What is imported by way of another room is left out.
    """
    below = {room: targets - UNDRAWN for room, targets in _rooms().items() if room not in UNDRAWN}
    arrows = [f"    {room} --> {target}" for room, target in _reduced(below)]
    return "\n".join(["```mermaid", "flowchart TD", *arrows, "```"])


def _rooms() -> dict[str, set[str]]:
    """Return each room with the rooms that its files import."""
    rooms: dict[str, set[str]] = {}
    for path in sorted(CORE.rglob("*.py")):
        inside = path.relative_to(CORE)
        room = _room_of(inside.parts[0].removesuffix(".py"))
        if inside.as_posix() not in REACHING_UP:
            named = (_room_named(*pair) for pair in imported_names(path))
            rooms.setdefault(room, set()).update({each for each in named if each} - {room})
    return rooms


def _room_of(part: str) -> str:
    is_support = part == "errors" or (part.startswith("_") and not part.startswith("__"))
    return SUPPORT if is_support and part != REPORT else TOGETHER.get(part, part)


def _room_named(module: str, name: str) -> str | None:
    package, _, rest = module.partition(".")
    part = rest.partition(".")[0] or name
    is_part = (CORE / part).is_dir() or (CORE / f"{part}.py").is_file()
    return _room_of(part) if package == "reidcore" and part and is_part else None


def _reduced(graph: Mapping[str, set[str]]) -> Iterable[tuple[str, str]]:
    """Yield the arrows that no longer way replaces, from the top to the bottom."""

    def reach(room: str) -> set[str]:
        return graph[room].union(*(reach(target) for target in graph[room]))

    for room in sorted(graph, key=lambda room: (-len(reach(room)), room)):
        longer = set().union(*(reach(target) for target in graph[room]))
        yield from ((room, target) for target in sorted(graph[room] - longer))


def packages() -> str:
    """Return a row for each bundled package: where it is and what it is for."""
    found = sorted(
        path for folder in (ROOT, ROOT / "plugins") for path in folder.glob("reid_plugins_*")
    )
    rows = [
        f"| `{path.relative_to(ROOT).as_posix()}` | {_summary(path / '__init__.py')} |"
        for path in found
    ]
    return "\n".join(["| Package | What it brings |", "|---|---|", *rows])


def files() -> str:
    """Return a section for each room of the core, with a row for each of its files."""
    sections = []
    for folder in sorted({path.parent for path in CORE.rglob("*.py")}):
        name = folder.relative_to(ROOT).as_posix()
        rows = [
            f"| `{path.name}` | {_summary(path)} |"
            for path in sorted(folder.glob("*.py"))
            if path.name != "__init__.py"
        ]
        heading = [f"### {name}", "", _summary(folder / "__init__.py")]
        sections.append("\n".join([*heading, "", "| File | |", "|---|---|", *rows]))
    return "\n\n".join(sections)


def _summary(path: Path) -> str:
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.partition("\n\n")[0].replace("\n", " ").replace("``", "`").replace("|", "\\|")


def rewritten(page: str, generated: Mapping[str, str]) -> str:
    """Return a page with these blocks between the marks of their names."""
    for name, block in generated.items():
        begin, end = f"<!-- {name}: written by make docs -->", f"<!-- end of {name} -->"
        before, _, rest = page.partition(begin)
        page = f"{before}{begin}\n\n{block}\n\n{end}{rest.partition(end)[2]}"
    return page


def main() -> None:
    """Rewrite the page."""
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(rewritten(page, blocks()), encoding="utf-8")


if __name__ == "__main__":
    main()
