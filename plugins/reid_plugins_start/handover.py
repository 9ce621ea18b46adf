"""What is handed over: the model in its forms, its card, its report, and how it was made."""

from __future__ import annotations

import shutil
from itertools import count
from pathlib import Path

from reid_plugins_start.card import model_card
from reid_plugins_start.context import Context
from reid_plugins_start.journal import FAILED, Journal
from reid_plugins_start.random_ranking import doubt_of
from reidcore.cli import echo
from reidcore.utils import atomic_write, partial_folder

CARD, COMMANDS = "MODEL_CARD.md", "commands.sh"


def hand_over(context: Context) -> None:
    """Make the folder, whole or not at all.

    An earlier one is moved aside; what its card says of licences stays.

    Raises:
        UserError: it cannot be written.
    """
    place = context.place
    with partial_folder(place.handover.absolute()) as partial:
        for source, name in _files(context):
            if source.is_file():
                shutil.copyfile(source, partial / name)
        _write(partial / COMMANDS, commands(context.journal))
        names = sorted(each.name for each in partial.iterdir())
        _write(partial / CARD, model_card(context, names, _read(place.handover / CARD)))
        partial.chmod(0o755)
        _move_aside(place.handover)
        partial.rename(place.handover)
    echo(f"      {', '.join(sorted(each.name for each in place.handover.iterdir()))}")
    for name, entry in context.journal.entries.items():
        if entry.state == FAILED:
            echo(f"      without {name}: {entry.told}")
    if why := doubt_of(context):
        echo(f"      warning: {why}", err=True)


def _move_aside(folder: Path) -> None:
    if not folder.exists():
        return
    names = (folder.with_name(f"{folder.name}-earlier-{number}") for number in count(1))
    earlier = next(name for name in names if not name.exists())
    folder.rename(earlier)
    echo(f"      the one before is now {earlier.name}")


def _files(context: Context) -> list[tuple[Path, str]]:
    """Return files, and their names in the folder; those that are not there are left out."""
    place = context.place
    return [
        (context.model, "model.pth.tar"),
        (place.export, "model.onnx"),
        (place.export.with_name("model.onnx.sha256"), "model.onnx.sha256"),
        (place.report, "report.html"),
        (place.config, "config.yaml"),
    ]


def commands(journal: Journal) -> str:
    """Return a script of all commands that were run, each as the user could type it."""
    lines = [
        "#!/bin/sh",
        "# The commands of this model, in the folder where they were run.",
        "set -e",
    ]
    for name, entry in journal.entries.items():
        told = entry.told.replace("\n", " ")
        lines.append(f"# {name}: {entry.state}: {told}" if told else entry.command)
    return "\n".join(lines) + "\n"


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""


def _write(file: Path, text: str) -> None:
    with atomic_write(file) as opened:
        opened.write(text.encode(errors="backslashreplace"))
