"""What a recipe needs that is not in the package: datasets and weights, with their licences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reid_plugins_inspect.recipe_card import Opening
from reidcore.config import Config
from reidcore.data import card_of
from reidcore.errors import UnknownNameError
from reidcore.models import PublishedWeights, WeightsStore, find_published
from reidcore.registry import find

if TYPE_CHECKING:
    from reidcore.plugins import Plugins

UNKNOWN = "unknown"
"""The licence of what says nothing of it."""


@dataclass(frozen=True)
class DatasetNeed:
    """A dataset that is learnt from or tested on.

    Attributes:
        name: its registered name, or that in ``data.datasets``.
        title: as its authors write it.
        licence: the terms of use, as far as they are known.
    """

    name: str
    title: str
    licence: str


@dataclass(frozen=True)
class WeightsNeed:
    """The published weights that a training begins with.

    Attributes:
        name: by which they are registered.
        filename: of the file in the cache.
        licence: the terms of use, as far as they are known.
        origin: who published them, and what they were trained on.
        url: where they are downloaded from; empty if they must be fetched by hand.
    """

    name: str
    filename: str
    licence: str
    origin: str
    url: str


def datasets_of(config: Config, plugins: Plugins) -> list[DatasetNeed]:
    """Return the datasets of a checked configuration, each once."""
    names = dict.fromkeys([*config.data.sources, *config.data.targets])
    return [_dataset(name, config, plugins) for name in names]


def weights_of(config: Config, opening: Opening, plugins: Plugins) -> WeightsNeed | None:
    """Return the weights of a checked configuration; None if there are none, or unregistered ones.

    They are registered by the name that the label ``Weights`` begins with, or by the network's.
    """
    if not config.model.pretrained or config.model.load_weights:
        return None
    row = next(_registered(config, opening, plugins), None)
    if row is None:
        return None
    return WeightsNeed(row.name, row.filename, row.licence or UNKNOWN, row.origin, row.url)


def where_weights_are(need: WeightsNeed, plugins: Plugins) -> str:
    """Say where a file of weights is on this machine, or how it gets here."""
    store = WeightsStore()
    held = store.locate(find_published(need.name, plugins))
    if held is not None:
        return f"on this machine: {held}"
    if need.url:
        return f"not on this machine: reidcore weights fetch {need.name}"
    return f"not on this machine, and to be fetched by hand: put it at {store.folder}"


def _dataset(name: str, config: Config, plugins: Plugins) -> DatasetNeed:
    if name in config.data.datasets:
        return DatasetNeed(name, name, "your own")
    card = card_of(find("datasets", name, plugins).load())
    if card is None:
        return DatasetNeed(name, name, UNKNOWN)
    return DatasetNeed(name, card.title, card.licence or UNKNOWN)


def _registered(config: Config, opening: Opening, plugins: Plugins) -> Iterator[PublishedWeights]:
    labelled = opening.card.weights if opening.card else None
    named = [labelled.what.split(",")[0]] if labelled else []
    for name in [*named, config.model.name]:
        try:
            yield find_published(name, plugins)
        except UnknownNameError:
            continue
