"""Count the lines of the core: all of them, those of code, and those of import statements.

Run: python tests/meta/count_lines.py
"""

from __future__ import annotations

import ast
import io
import tokenize
from pathlib import Path
from typing import NamedTuple

CORE = Path(__file__).parents[2] / "reidcore"
SOURCES = {".py", ".pyi", ".pyx", ".c", ".h"}
_BLANK = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


class Lines(NamedTuple):
    """How many lines a file has.

    Attributes:
        all: Everything.
        code: Without comments, docstrings, blank lines and directives.
        imports: Those of import statements, directives apart.
        directives: Those of ``from __future__``, which tells the compiler something.
    """

    all: int
    code: int
    imports: int
    directives: int


def count(source: str) -> Lines:
    """Count the lines of a Python source."""
    code = {
        line
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type not in _BLANK
        for line in range(token.start[0], token.end[0] + 1)
    }
    documented: set[int] = set()
    imports: set[int] = set()
    directives: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            documented |= _lines_of(node)
        elif isinstance(node, ast.ImportFrom) and node.module == "__future__":
            directives |= _lines_of(node)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            imports |= _lines_of(node)
    code -= documented | directives
    return Lines(len(source.splitlines()), len(code), len(imports), len(directives))


def _lines_of(node: ast.stmt) -> set[int]:
    return set(range(node.lineno, (node.end_lineno or node.lineno) + 1))


def core() -> dict[str, Lines]:
    """Count the lines of every Python file of the core."""
    return {
        path.relative_to(CORE).as_posix(): count(path.read_text(encoding="utf-8"))
        for path in sorted(CORE.rglob("*.py"))
    }


def size() -> int:
    """Count all lines of the core's sources, in whatever language."""
    sources = [path for path in CORE.rglob("*") if path.suffix in SOURCES]
    return sum(len(path.read_text(encoding="utf-8").splitlines()) for path in sources)


def total(files: dict[str, Lines]) -> Lines:
    """Add up the lines of files."""
    return Lines(*(sum(column) for column in zip(*files.values(), strict=True)))


def main() -> None:
    """Print the sums, and the files with the most import lines above the core's share."""
    files = core()
    everything = total(files)
    share = everything.imports / everything.code
    print(f"{size()} lines of sources; Python: {len(files)} files, {everything}")
    with_directives = (everything.imports + everything.directives) / (
        everything.code + everything.directives
    )
    print(f"import statements take {share:.1%} of the code, with directives {with_directives:.1%}")
    for name, lines in sorted(
        files.items(), key=lambda file: file[1].imports - share * file[1].code, reverse=True
    )[:25]:
        print(f"{lines.imports:4} of {lines.code:4}  {name}")


if __name__ == "__main__":
    main()
