"""The dataset that a checkpoint's model is tried on: as it is asked for, else as the run had it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from reidcore.data import SampleTable, read_tables
from reidcore.errors import DataError, UserError
from reidcore.evaluation import AnyCamera, EvaluationProtocol, Market1501
from reidcore.plugins import Plugins
from reidcore.registry import (
    Chooser,
    Component,
    NamedDataset,
    declared_options,
    find,
    read_options,
)

__all__ = ["Dataset", "DatasetChoice", "Tables", "first_target", "read_dataset"]

_USUAL_ROOT = "reid-data"


@dataclass(frozen=True)
class DatasetChoice:
    """A dataset by name, with its options.

    Attributes:
        name: registered, or one of the checkpoint's own ``data.datasets``.
        root: the folder below which datasets lie; None for the run's.
        options: go before those of the run.
    """

    name: str
    root: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def read(self, config: Mapping[str, Any], plugins: Plugins) -> Tables:
        """Read the tables, with what a checkpoint's configuration says of the dataset.

        Args:
            config: the configuration that a checkpoint records; empty if it records none.
            plugins: where the dataset is looked up.

        Raises:
            UserError: if there is no such dataset, or an option is none of its own.
        """
        data = config.get("data") or {}
        named, sections = dict(data.get("datasets") or {}), _sections(config)
        place = Path(self.root or str(data.get("root") or _USUAL_ROOT)).expanduser()
        if (own := NamedDataset.of(named, self.name)) is not None:
            entry = find("datasets", own.kind, plugins)
            place = place / own.root(entry)
            named[self.name] = {own.kind: {**own.options(entry), **self.options}}
        else:
            sections[self.name] = {**sections.get(self.name, {}), **self.options}
        component = Chooser(plugins, sections, datasets=named)("datasets", self.name)
        read = read_tables(component, place)
        splits = read if isinstance(read, list) else (read.train, read.query, read.gallery)
        train, query, gallery = map(SampleTable.of, splits)
        return Tables(self.name, train, query, gallery)


class Tables(NamedTuple):
    """The tables of a dataset, and what it is called."""

    name: str
    train: SampleTable
    query: SampleTable
    gallery: SampleTable


def first_target(config: Mapping[str, Any]) -> str:
    """Return the dataset that a run was tested on first.

    Raises:
        UserError: if the configuration names none.
    """
    data = config.get("data") or {}
    targets = data.get("targets") or data.get("sources") or ()
    if not targets:
        raise UserError(
            "no dataset is named, and the checkpoint tells none",
            "Give --data NAME; 'reidcore ls datasets' lists them.",
        )
    return str(targets[0])


@dataclass(frozen=True, eq=False)
class Dataset:
    """The images of a dataset.

    Attributes:
        name: the dataset's.
        train: the images that a model learns from; may be empty.
        query: the queries.
        gallery: the gallery.
        protocol: by which it is evaluated.
        protocol_name: what that is called.
    """

    name: str
    train: SampleTable
    query: SampleTable
    gallery: SampleTable
    protocol: EvaluationProtocol
    protocol_name: str


def read_dataset(choice: DatasetChoice, config: Mapping[str, Any], plugins: Plugins) -> Dataset:
    """Read a dataset of images, with what a checkpoint's configuration says of it.

    Args:
        choice: which.
        config: the configuration that a checkpoint records; empty if it records none.
        plugins: where the dataset is looked up.

    Raises:
        UserError: if there is no such dataset, an option is none of its own, or it has tracklets.
    """
    tables = choice.read(config, plugins)
    if any(each.paths.has_tracklets for each in (tables.train, tables.query, tables.gallery)):
        raise DataError(
            f"{tables.name} has tracklets, and an exported model takes images",
            "Give a dataset of images.",
        )
    name, protocol = _protocol(_sections(config), tables, plugins)
    return Dataset(*tables, protocol, name)


def _sections(config: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {name: each for name, each in config.items() if isinstance(each, Mapping)}


def _protocol(
    sections: Mapping[str, Any], tables: Tables, plugins: Plugins
) -> tuple[str, EvaluationProtocol]:
    """Return the run's protocol, or Market-1501's, which one camera alone leaves no match."""
    name = sections.get("test", {}).get("protocol")
    cameras = np.unique(np.concatenate([tables.query.camids, tables.gallery.camids]))
    if name is None:
        alone = len(cameras) < 2
        return ("any_camera", AnyCamera()) if alone else ("market1501", Market1501())
    entry = find("protocols", name, plugins)
    known = {*declared_options(entry), *entry.options}
    # A recorded section has the options of all that are called so: a dataset, and its protocol.
    given = {key: value for key, value in sections.get(name, {}).items() if key in known}
    protocol: EvaluationProtocol = Component(entry, read_options(entry, given)).make()
    return name, protocol
