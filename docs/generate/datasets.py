"""Write docs/datasets.md from the bundled datasets' cards, signatures and docstrings.

Run: python docs/generate/datasets.py
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from reidcore.data import DatasetCard, card_of
from reidcore.registry import Entry, entries

PAGE = Path(__file__).parents[1] / "datasets.md"

INTRODUCTION = """\
# Datasets

What `reidcore ls datasets` lists, in the words of each dataset's own card. *This page is generated
from the code: `make docs`.*

All datasets lie below one folder, `data.root`. None is fetched or unpacked by itself: what is
missing is told with the layout below, and `reidcore data prepare NAME` unpacks official archives
that lie there. An option is set as `NAME.OPTION=value` (or
`datasets.NAME.OPTION=value`) in a configuration or on the command line, and as a keyword of
`ImageDataManager`, `VideoDataManager`, `init_image_dataset` and `init_video_dataset`; `split_id` is
`data.split_id` in a configuration.

Images are read in the order of their names. Training identities are numbered anew; test identities
and cameras (base 0) stay as the dataset has them. `combineall` learns from query and gallery too,
but not from the identities that are listed as never learnt from.

Some datasets are split at random. Torchreid draws such splits once, without a seed, and keeps them
in a file in the dataset's folder; where that file is, it counts, so that earlier results compare.
Otherwise the split is our own and the same on every machine: what is drawn from is put in the order
of the SHA-256 of `"<title> <draw> <item>"`.
"""

_ARGUMENT = re.compile(r"^    (\w+): (.*(?:\n        .*)*)", re.M)
_ROLE = re.compile(r"``([^`]*)``")


def page(listed: Iterable[Entry]) -> str:
    """Return the page of these datasets: a table of them, and a section each."""
    found = [(entry, card_of(entry.load())) for entry in listed]
    known = [(entry, card) for entry, card in found if card]
    own = [entry for entry, card in found if not card]
    blocks = [INTRODUCTION, _overview(known)]
    blocks += [_own_section(entry) for entry in own]
    blocks += [_section(entry, card) for entry, card in sorted(known, key=_title)]
    return "\n".join(blocks)


def _title(pair: tuple[Entry, DatasetCard]) -> str:
    return pair[1].title.lower()


def _overview(known: Sequence[tuple[Entry, DatasetCard]]) -> str:
    rows = ["| Key | What it is | Data | Needs |", "|---|---|---|---|"]
    for entry, card in known:
        needs = ", ".join(f"extra `{extra}`" for extra in entry.needs)
        link = f"[`{entry.name}`](#{_anchor(entry, card)})"
        rows.append(f"| {link} | {entry.summary} | {card.data_type} | {needs} |")
    return "\n".join([*rows, ""])


def _anchor(entry: Entry, card: DatasetCard) -> str:
    """Return the name that Markdown viewers give to a section's heading."""
    heading = f"{card.title} ({entry.name})".lower()
    return re.sub(r"[^\w\- ]", "", heading).replace(" ", "-")


def _section(entry: Entry, card: DatasetCard) -> str:
    lines = [f"## {card.title} (`{entry.name}`)", "", f"```text\n{card.layout}\n```", ""]
    if card.withdrawn:
        lines += [f"**Withdrawn:** {card.withdrawn}.", ""]
    lines += [f"{card.protocol}", "", *_further(entry), f"* Paper: {card.paper}."]
    lines += [f"* Source: {card.source}", f"* Licence: {card.licence}"]
    if card.archives:
        names = ", ".join(f"`{archive.filename}`" for archive in card.archives)
        lines.append(f"* Handed out as: {names}")
    if card.junk_pids:
        lines.append(f"* Never learnt from: identity {_numbers(card.junk_pids)}")
    if not card.combines:
        lines.append("* `combineall` changes nothing")
    if card.combined_options:
        told = ", ".join(
            f"`{name}={_yaml(value)}`" for name, value in card.combined_options.items()
        )
        lines.append(f"* `combineall` implies {told}")
    lines += ["", *_options(entry), *_counts(card)]
    return "\n".join(lines)


def _further(entry: Entry) -> Iterator[str]:
    """Yield what a factory's docstring says beyond its first line, such as of further columns."""
    document = (inspect.getdoc(entry.load()) or "").partition("\nArgs:")[0]
    for paragraph in document.strip().split("\n\n")[1:]:
        yield _markdown(" ".join(paragraph.split()))
        yield ""


def _own_section(entry: Entry) -> str:
    document = inspect.getdoc(entry.load()) or ""
    told = _markdown(document.partition("\nArgs:")[0].strip())
    return "\n".join([f"## Your own data (`{entry.name}`)", "", told, "", *_options(entry)])


def _options(entry: Entry) -> Iterator[str]:
    arguments = _arguments(inspect.getdoc(entry.load()) or "")
    own = [parameter for parameter in entry.parameters().values() if parameter.name != "root"]
    if not own:
        return
    yield "| Option | Default | Meaning |"
    yield "|---|---|---|"
    for parameter in own:
        others = [f"`{other}`" for other, real in entry.options.items() if real == parameter.name]
        named = f"`{parameter.name}`" + (f" (or {', '.join(others)})" if others else "")
        meaning = _markdown(arguments[parameter.name]).replace("|", "\\|")
        yield f"| {named} | `{_yaml(parameter.default)}` | {meaning} |"
    yield ""


def _arguments(document: str) -> dict[str, str]:
    """Return what a docstring says of each argument."""
    block = document.partition("\nArgs:\n")[2].partition("\n\n")[0]
    return {name: " ".join(text.split()) for name, text in _ARGUMENT.findall(block)}


def _counts(card: DatasetCard) -> Iterator[str]:
    if not card.counts:
        return
    unit = "Tracklets" if card.data_type == "video" else "Images"
    yield f"| Official size | With | Identities | {unit} | Cameras |"
    yield "|---|---|---|---|---|"
    for count in card.counts:
        sizes = (count.ids, count.images, count.cameras)
        figures = " | ".join("" if size is None else f"{size:,}" for size in sizes)
        yield f"| {count.split} | {_given(count.when)} | {figures} |"
    yield ""


def _given(options: Mapping[str, Any]) -> str:
    return ", ".join(f"`{name}={_yaml(value)}`" for name, value in options.items())


def _markdown(text: str) -> str:
    return _ROLE.sub(r"`\1`", text)


def _yaml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value) if value != "" else "''"


def _numbers(numbers: Sequence[int]) -> str:
    run = list(range(min(numbers), max(numbers) + 1))
    if len(numbers) > 3 and sorted(numbers) == run:
        return f"{run[0]} to {run[-1]}"
    return " and ".join(str(number) for number in sorted(numbers))


if __name__ == "__main__":
    listed = [entry for entry in entries("datasets") if entry.distribution == "reidcore"]
    PAGE.write_text(page(listed), encoding="utf-8")
