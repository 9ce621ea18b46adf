"""A table of text that is shown on a terminal, or written as Markdown, LaTeX or JSON."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, Literal

import click

from reidcore.cli import console, echo, json_alone, number, table
from reidcore.errors import printable

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

Form = Literal["terminal", "json", "markdown", "latex"]

_FORMS: dict[Form, str] = {
    "json": "Print JSON.",
    "markdown": "Print tables in Markdown.",
    "latex": "Print tables in LaTeX (booktabs).",
}

# What LaTeX would take for commands, and what its fonts may lack.
_LATEX = {character: f"\\{character}" for character in "&%$#_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "±": r"$\pm$",
    "→": r"$\rightarrow$",
}
_LEGIBLE, _LEAST = 12, 6  # characters of a name that stay together where there is room, and if not
_GAP = 2  # between columns
_MARKDOWN = re.compile(r"([\\|`*_\[\]<>])")


@dataclass(frozen=True)
class Column:
    """The heading of a column.

    Attributes:
        heading: its text.
        is_number: whether its cells stand on the right.
    """

    heading: str
    is_number: bool = False


@dataclass(frozen=True)
class Sheet:
    """A table whose cells are text, each in one line.

    Attributes:
        columns: at least one.
        rows: as many cells as there are columns in each.
        title: above it.
        bold: the cells that stand out, as (row, column).
    """

    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    title: str = ""
    bold: Collection[tuple[int, int]] = ()

    def rich(self, width: int | None = None) -> Table:
        """Return it as the command line shows tables.

        Where it is wider than the terminal its cells are folded, those of numbers between their
        numbers; none is cut.

        Args:
            width: of the terminal, in characters; that of standard output if not given.
        """
        first, *others = self.columns
        headings = [number(each.heading) if each.is_number else each.heading for each in others]
        shown = table(first.heading, *headings, title=self.title)
        shown.min_width = len(self.title)  # a title is folded to the width of its table
        room = (console().width if width is None else width) - _GAP * len(others)
        least = self._least_widths(room)
        for column, fewest in zip(shown.columns, least, strict=True):
            column.no_wrap, column.overflow, column.min_width = False, "fold", fewest
            column.max_width = fewest if sum(least) >= room else None
        for place, row in enumerate(self.rows):
            cells = enumerate(row)
            shown.add_row(
                *(_bold(text) if (place, at) in self.bold else text for at, text in cells)
            )
        return shown

    def _least_widths(self, room: int) -> list[int]:
        """Return how narrow each column may get: numbers stay whole, names as far as they can."""
        least, names = [], []
        for place, column in enumerate(self.columns):
            words = [word for row in self.rows for word in row[place].split()]
            longest = max(map(len, [*column.heading.split(), *words]), default=0)
            least.append(longest if column.is_number else min(longest, _LEGIBLE))
            if not column.is_number:
                names.append(place)
        for _ in range(sum(least) - room):
            if not (foldable := [place for place in names if least[place] > _LEAST]):
                break
            least[max(foldable, key=least.__getitem__)] -= 1
        return least

    def markdown(self) -> str:
        """Return it in Markdown, its columns filled up to the same width."""
        cells = self._written(lambda text: _MARKDOWN.sub(r"\\\1", _line(text)), "**{}**")
        widths = [max(3, *map(len, column)) for column in zip(*cells, strict=True)]
        rules = [
            f"{'-' * (width - 1)}:" if column.is_number else "-" * width
            for column, width in zip(self.columns, widths, strict=True)
        ]
        head, *rows = [
            [
                cell.rjust(width) if column.is_number else cell.ljust(width)
                for cell, width, column in zip(row, widths, self.columns, strict=True)
            ]
            for row in cells
        ]
        lines = [f"| {' | '.join(row)} |" for row in (head, rules, *rows)]
        return "\n".join([*([f"### {_line(self.title)}", ""] if self.title else []), *lines])

    def latex(self) -> str:
        """Return it as a ``tabular`` for LaTeX with the package ``booktabs``."""
        kinds = "".join("r" if column.is_number else "l" for column in self.columns)
        head, *rows = [
            " & ".join(row) + r" \\" for row in self._written(as_latex, r"\textbf{{{}}}")
        ]
        body = [f"  {line}" for line in (r"\toprule", head, r"\midrule", *rows, r"\bottomrule")]
        title = [f"% {_line(self.title)}"] if self.title else []
        return "\n".join([*title, rf"\begin{{tabular}}{{{kinds}}}", *body, r"\end{tabular}"])

    def _written(self, escaped: Callable[[str], str], bold: str) -> list[list[str]]:
        """Return headings and rows for a format of text, which has a pattern for bold cells."""
        rows = [
            [
                bold.format(escaped(cell)) if (place, at) in self.bold else escaped(cell)
                for at, cell in enumerate(row)
            ]
            for place, row in enumerate(self.rows)
        ]
        return [[escaped(column.heading) for column in self.columns], *rows]


def as_latex(text: str) -> str:
    """Return a text of one line with what LaTeX would take for commands written out."""
    return "".join(_LATEX.get(character, character) for character in _line(text))


def form_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--json``, ``--markdown`` and ``--latex``; the command is given their ``form``."""

    @wraps(command)
    def with_form(*arguments: Any, **options: Any) -> Any:
        flags: dict[Form, bool] = {form: options.pop(form) for form in _FORMS}
        chosen = [form for form, is_set in flags.items() if is_set]
        if len(chosen) > 1:
            what = f"--{chosen[0]} and --{chosen[1]} exclude each other: give one."
            raise click.UsageError(what)
        return command(*arguments, form=chosen[0] if chosen else "terminal", **options)

    decorated: Callable[..., Any] = with_form
    for form, text in reversed(_FORMS.items()):
        decorated = click.option(f"--{form}", form, is_flag=True, help=text)(decorated)
    return decorated


def show(form: Form, sheets: Iterable[Sheet], value: Any) -> None:
    """Print tables in one of the forms.

    Args:
        form: which.
        sheets: the tables, in their order.
        value: what is printed as JSON.
    """
    if form == "json":
        with json_alone(True) as write:
            write(value)
    elif form == "terminal":
        for place, sheet in enumerate(sheets):
            console().print(*([""] if place else []), sheet.rich(), sep="\n")
    else:
        texts = [sheet.latex() if form == "latex" else sheet.markdown() for sheet in sheets]
        echo("\n\n".join(texts))


def _bold(text: str) -> Text:
    from rich.text import Text

    return Text(_line(text), style="bold")


def _line(text: str) -> str:
    return printable(text, one_line=True)
