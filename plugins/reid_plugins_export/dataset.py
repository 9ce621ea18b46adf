"""The images on which an exported model is quantised and checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reidcore.config import read_config
from reidcore.data import SampleTable, read_tables
from reidcore.errors import DataError
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


@dataclass(frozen=True)
class DatasetChoice:
    """A dataset by name, with its options.

    Attributes:
        name: registered, or one of the checkpoint's own ``data.datasets``.
        root: the folder below which datasets lie; None for the run's.
        words: settings as a configuration has them, such as ``csv.file=labels.csv``.
    """

    name: str
    root: str | None = None
    words: Sequence[str] = ()


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
    """Read the tables of a dataset, with what a checkpoint's configuration says of it.

    Args:
        choice: which.
        config: the configuration that a checkpoint records; empty if it records none.
        plugins: where the dataset is looked up.

    Raises:
        UserError: if there is no such dataset, an option is none of its own, or it has tracklets.
    """
    asked = read_config(None, list(choice.words)).layer.tree
    known = {name: each for name, each in config.items() if isinstance(each, Mapping)}
    sections = {name: {**known.get(name, {}), **asked.get(name, {})} for name in {*known, *asked}}
    data = sections.get("data", {})
    named = data.get("datasets") or {}
    choose = Chooser(plugins, sections, datasets=named)
    component = choose("datasets", choice.name)
    place = Path(choice.root or str(data.get("root") or "reid-data")).expanduser()
    own = NamedDataset.of(named, choice.name)
    read = read_tables(component, place / own.root(component.entry) if own else place)
    splits = read if isinstance(read, list) else (read.train, read.query, read.gallery)
    train, query, gallery = (SampleTable.of(each) for each in splits)
    if any(each.paths.has_tracklets for each in (train, query, gallery)):
        raise DataError(
            f"{choice.name} has tracklets, and an exported model takes images",
            "Give a dataset of images.",
        )
    name, protocol = _protocol(choose, sections, query, gallery)
    return Dataset(choice.name, train, query, gallery, protocol, name)


def _protocol(
    choose: Chooser, sections: Mapping[str, Any], query: SampleTable, gallery: SampleTable
) -> tuple[str, EvaluationProtocol]:
    """Return the run's protocol, or Market-1501's, which one camera alone leaves no match."""
    name = sections.get("test", {}).get("protocol")
    cameras = np.unique(np.concatenate([query.camids, gallery.camids]))
    if name is None:
        alone = len(cameras) < 2
        return ("any_camera", AnyCamera()) if alone else ("market1501", Market1501())
    entry = find("protocols", name, choose.plugins)
    known = {*declared_options(entry), *entry.options}
    # A recorded section has the options of all that are called so: a dataset, and its protocol.
    given = {key: value for key, value in sections.get(name, {}).items() if key in known}
    protocol: EvaluationProtocol = Component(entry, read_options(entry, given)).make()
    return name, protocol
