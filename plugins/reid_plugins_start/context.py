"""What the steps of a road share: the data, the folder, what is asked for, and what was found."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from reid_plugins_own_data.splitting.kept import kept_split

from reid_plugins_start.facts import Facts, read_facts, split_record
from reid_plugins_start.folders import Place
from reid_plugins_start.journal import FAILED, LEFT_OUT, Journal
from reid_plugins_start.source import Source
from reid_plugins_start.step import Word
from reidcore.plugins import Plugins
from reidcore.registry import entries
from reidcore.utils import checkpoints_in, read_json


@dataclass(frozen=True)
class Wishes:
    """What the command line asks for.

    Attributes:
        class_name: the only class that is wanted; empty for all.
        device: what trains; None for the best there is.
        minutes: what the training may take; None for as long as it needs.
        seed: of the split and the training.
        form: the format of the data; empty to find it out.
        options: of that format, ``OPTION=VALUE`` each.
    """

    class_name: str = ""
    device: str | None = None
    minutes: float | None = None
    seed: int = 0
    form: str = ""
    options: Sequence[str] = ()

    @property
    def words(self) -> list[str]:
        """Return all of it as the command line takes it."""
        words = [*self.options]
        words += ["--format", self.form] if self.form else []
        words += ["--class", self.class_name] if self.class_name else []
        words += ["--minutes", f"{self.minutes:g}"] if self.minutes is not None else []
        words += ["--seed", str(self.seed)] if self.seed else []
        return [*words, *self.device_words]

    @property
    def device_words(self) -> list[str]:
        """Return the option of a command that chooses the device."""
        return ["--device", self.device] if self.device else []


@dataclass(frozen=True)
class Context:
    """One road.

    Args:
        source: the data.
        place: where everything is written.
        wishes: what is asked for.
        journal: what is done so far.
        plugins: those that are active.
    """

    source: Source
    place: Place
    wishes: Wishes
    journal: Journal
    plugins: Plugins

    @cached_property
    def dataset(self) -> str:
        """What the data is called as a dataset; never as one that is registered."""
        taken = {entry.name for entry in entries("datasets", self.plugins)}
        return f"{self.source.name}-own" if self.source.name in taken else self.source.name

    def own_command(self, step: str) -> list[Word]:
        """Return the words of ``reidcore start`` that do one of its own steps alone."""
        return [
            "start",
            self.source.path,
            *self.wishes.words,
            "-o",
            self.place.folder,
            "--step",
            step,
        ]

    @property
    def table(self) -> Path:
        """The table of images with its splits."""
        if self.source.is_split and self.source.table is not None:
            return self.source.table.file
        return self.place.table

    @property
    def split(self) -> Mapping[str, Any]:
        """What is known of the split; nothing before there is one."""
        if self.source.is_split and self.source.table is not None:
            return kept_split(self.source.table)
        file = split_record(self.place.table)
        found: Mapping[str, Any] = read_json(file) if file.is_file() else {}
        return found

    @property
    def facts(self) -> Facts:
        """What the check and the split found."""
        return read_facts(self.place.check, self.split)

    @property
    def checkpoint(self) -> Path:
        """The model after the last epoch of the training, or where it will be."""
        epochs = {
            int(found[1]): path
            for path in checkpoints_in(self.place.run)
            if (found := re.fullmatch(r"model\.pth\.tar-(\d+)", path.name))
        }
        return epochs[max(epochs)] if epochs else self.place.run / "model.pth.tar-EPOCHS"

    @property
    def model(self) -> Path:
        """The model that is handed over: with its threshold, or as trained where there is none."""
        entry = self.journal.entries.get("calibrate")
        is_without = entry is not None and entry.state in (FAILED, LEFT_OUT)
        return self.checkpoint if is_without else self.place.model
