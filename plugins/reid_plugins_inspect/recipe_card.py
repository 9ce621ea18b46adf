"""What a recipe says of itself: the labelled comment that its file opens with.

The comment begins with the command, goes on with a sentence or two, and ends with labels::

    # reidcore run bot_r50 --root DIR
    #
    # What it is, in words.
    #
    # Paper: authors, "title", venue and year.
    # Code: where it is (its licence)
    # Weights: name, what they were trained on (their licence)
    # Published: market1501 94.1 / 85.7; msmt17 63.4 / 45.1 / 12.4
    # Published by: who
    # Differs: what is not as published.
    #   A line that goes on is indented by two more blanks.

Published figures are rank 1, mAP and mINP in per cent, ``-`` for one that is not given, for each
registered dataset; ``market1501 -> msmt17`` stands for training on the first and testing on the
second. ``none`` is a value of ``Weights`` and ``Published``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from reidcore.errors import ConfigError, did_you_mean, quoted

LABELS = ("Paper", "Code", "Weights", "Published", "Published by", "Differs")
"""The labels, all of which a card has, in their order."""

NONE = "none"
"""What stands where there are no weights to begin with, or no published figures."""

_INDENT = " " * 4
_LABEL = re.compile(r"([A-Z][a-z]+(?: [a-z]+)?): +(\S.*)")
_LICENSED = re.compile(r"(?P<what>\S.*?) \((?P<licence>[^()]+)\)")
_FIGURE = r"\d{1,3}(?:\.\d+)?|-"
_FIGURES = re.compile(
    rf"(?:(?P<source>[\w-]+) -> )?(?P<target>[\w-]+)"
    rf" (?P<rank1>{_FIGURE})(?: / (?P<mAP>{_FIGURE}))?(?: / (?P<mINP>{_FIGURE}))?"
)


@dataclass(frozen=True)
class Licensed:
    """Something that others have made, and under which licence.

    Attributes:
        what: its name and where it is from.
        licence: in the words of the recipe.
    """

    what: str
    licence: str


@dataclass(frozen=True)
class Figures:
    """Published figures of one dataset, in per cent.

    Attributes:
        source: the registered dataset that was trained on.
        target: the one that was tested on.
        rank1: rank-1 accuracy; None where it was not published, as the others.
        mAP: mean average precision.
        mINP: mean inverse negative penalty.
    """

    source: str
    target: str
    rank1: float | None
    mAP: float | None
    mINP: float | None

    def __str__(self) -> str:
        numbers = [self.rank1, self.mAP, self.mINP]
        while numbers[-1] is None:
            numbers.pop()
        shown = " / ".join("-" if number is None else f"{number:.1f}" for number in numbers)
        where = "" if self.source == self.target else f"{self.source} -> "
        return f"{where}{self.target} {shown}"


@dataclass(frozen=True)
class RecipeCard:
    """What a recipe's labels say.

    Attributes:
        paper: authors, title, venue and year.
        code: the code that it follows.
        weights: what it starts from; None for random weights.
        published: the figures that its authors give.
        published_by: where they give them.
        differs: what is not as published.
    """

    paper: str
    code: Licensed
    weights: Licensed | None
    published: tuple[Figures, ...]
    published_by: str
    differs: str


@dataclass(frozen=True)
class Opening:
    """The comment that a recipe opens with.

    Attributes:
        command: that runs it; empty if the comment begins otherwise.
        about: what the recipe is, as Markdown: paragraphs, and commands indented by four blanks.
        card: its labels; None of a recipe without any.
    """

    command: str = ""
    about: str = ""
    card: RecipeCard | None = None


def read_opening(text: str, name: str) -> Opening:
    """Read the comment that a recipe opens with.

    Args:
        text: the recipe's file.
        name: of the recipe, for messages.

    Raises:
        ConfigError: a label is missing, unknown, there twice, or its value has not its form.
    """
    lines = list(_comment(text))
    command = ""
    if lines and lines[0][1].startswith("reidcore "):
        command = lines.pop(0)[1]
    starts = [at for at, (_, line) in enumerate(lines) if _label_of(line) in LABELS]
    first = starts[0] if starts else len(lines)
    about = _paragraphs(line for _, line in lines[:first])
    return Opening(command, about, _card(lines[first:], name) if starts else None)


def _comment(text: str) -> Iterator[tuple[int, str]]:
    """Yield the number and the text of each line of the comment at the top."""
    for number, line in enumerate(text.splitlines(), 1):
        if not line.startswith("#"):
            return
        yield number, line[1:].removeprefix(" ").rstrip()


def _paragraphs(lines: Iterable[str]) -> str:
    """Join the lines of each paragraph; indented ones are commands, and stay lines."""
    paragraphs = [list(group) for filled, group in groupby(lines, key=bool) if filled]
    return "\n\n".join(
        "\n".join(paragraph) if paragraph[0].startswith(_INDENT) else " ".join(paragraph)
        for paragraph in paragraphs
    )


def _label_of(line: str) -> str:
    found = _LABEL.fullmatch(line)
    return found[1] if found else ""


def _card(lines: list[tuple[int, str]], name: str) -> RecipeCard:
    values = _values(lines, name)
    missing = [label for label in LABELS if label not in values]
    if missing:
        raise ConfigError(
            f"the comment of recipe {name!r} has no label {quoted(missing[0])}",
            f"Its labels are {', '.join(LABELS)}; they stand together, after what the recipe is.",
        )
    return RecipeCard(
        paper=values["Paper"],
        code=_licensed("Code", values, name),
        weights=None if values["Weights"] == NONE else _licensed("Weights", values, name),
        published=tuple(_figures(values["Published"], name)),
        published_by=values["Published by"],
        differs=values["Differs"],
    )


def _values(lines: list[tuple[int, str]], name: str) -> dict[str, str]:
    """Return label -> value; a value may go on in indented lines."""
    values: dict[str, str] = {}
    label = ""
    for number, line in lines:
        if line.startswith("  ") and label:
            values[label] += f" {line.strip()}"
        elif line:
            label, value = _labelled(line, f"line {number} of recipe {name!r}")
            if label in values:
                raise ConfigError(
                    f"line {number} of recipe {name!r} gives {label!r} again", "Keep one of them."
                )
            values[label] = value
    return values


def _labelled(line: str, place: str) -> tuple[str, str]:
    found = _LABEL.fullmatch(line)
    if found is not None and found[1] in LABELS:
        return found[1], found[2]
    shown = line if found is None else found[1]
    hint = did_you_mean(shown, LABELS) or f"Labels are {', '.join(LABELS)}."
    raise ConfigError(
        f"{place} has {quoted(shown)} where a label stands",
        f"{hint} A line that goes on with a value is indented by two more blanks.",
    )


def _licensed(label: str, values: Mapping[str, str], name: str) -> Licensed:
    found = _LICENSED.fullmatch(values[label])
    if found is None:
        raise ConfigError(
            f"{label} of recipe {name!r} is {quoted(values[label])}, without a licence",
            "Put it in brackets at the end, such as (MIT), (research only) or (no licence file).",
        )
    return Licensed(found["what"], found["licence"])


def _figures(value: str, name: str) -> Iterator[Figures]:
    if value == NONE:
        return
    for part in value.rstrip(".").split(";"):
        found = _FIGURES.fullmatch(part.strip())
        if found is None:
            raise ConfigError(
                f"Published of recipe {name!r} has {quoted(part.strip())}",
                "Give a dataset with rank 1, mAP and mINP: market1501 94.1 / 85.7; or none.",
            )
        numbers = [_number(found[key]) for key in ("rank1", "mAP", "mINP")]
        given = [number for number in numbers if number is not None]
        if not given or max(given) > 100:
            raise ConfigError(
                f"Published of recipe {name!r} has {quoted(part.strip())}",
                "Figures are per cent, at most 100, and one of them is given.",
            )
        yield Figures(found["source"] or found["target"], found["target"], *numbers)


def _number(text: str | None) -> float | None:
    return None if text in (None, "-") else float(text)
