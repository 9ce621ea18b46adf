"""The configuration that choices make, as a file that anybody can read, change and run."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from reid_plugins_start.choices import Choice
from reidcore.utils import atomic_write

_WIDTH = 96


def validation_name(dataset: str) -> str:
    """Return what the rows for validation are called as a dataset."""
    return f"{dataset}-validation"


def write_config(
    file: Path,
    dataset: str,
    table: Path,
    columns: Mapping[str, str],
    choices: Sequence[Choice],
    save_dir: Path,
) -> None:
    """Write a configuration with the reason of each choice above it.

    Args:
        file: the configuration.
        dataset: what the data is called.
        table: the table of images.
        columns: options of the dataset ``csv`` that are not its defaults.
        choices: all other keys.
        save_dir: where the training writes.
    """
    own: dict[str, Any] = {"file": table.name, **columns}
    tree: dict[str, Any] = {
        "data": {
            "root": str(table.parent.absolute()),
            "datasets": {
                dataset: {"csv": own},
                validation_name(dataset): {"csv": {**own, "validation": True}},
            },
            "sources": [dataset],
            "targets": [dataset],
            "save_dir": str(save_dir.absolute()),
        }
    }
    for key, value, _ in choices:
        *sections, name = key.split(".")
        branch = tree
        for section in sections:
            branch = branch.setdefault(section, {})
        branch[name] = value
    reasons = list(map(str, choices))
    head = [f"reidcore run {file}", "", "Chosen by reidcore start, each for a reason:", *reasons]
    lines = [line for text in head for line in textwrap.wrap(text, _WIDTH) or [""]]
    comment = "\n".join(f"# {line}".rstrip() for line in lines)
    body = yaml.safe_dump(tree, sort_keys=False, allow_unicode=True)
    with atomic_write(file) as opened:
        opened.write(f"{comment}\n\n{body}".encode())
