"""How large a dataset is, beside what its authors say."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reidcore.data.card import DatasetCard, OfficialCount, card_of
from reidcore.data.dataset import MODES
from reidcore.data.table import SampleTable


@dataclass(frozen=True)
class Difference:
    """One figure that is not as it should be.

    Attributes:
        split: ``train``, ``query`` or ``gallery``.
        what: ``ids``, ``images``, ``tracklets`` or ``cameras``.
        found: the number found.
        official: the number its authors give.
    """

    split: str
    what: str
    found: int
    official: int

    def __str__(self) -> str:
        return f"{self.split} has {self.found:,} {self.what} ({self.official:,})"


def differences(
    factory: Callable[..., Any], tables: Sequence[SampleTable], options: Mapping[str, Any]
) -> list[Difference]:
    """Compare the tables of train, query and gallery with the official counts.

    Args:
        factory: The dataset's factory; one without a card has no official counts.
        tables: What it read.
        options: The options that it was called with, under their real names.
    """
    card = card_of(factory)
    if card is None:
        return []
    chosen = _defaults(factory) | dict(options)
    splits = dict(zip(MODES, tables, strict=True))
    return [
        difference
        for count in card.counts
        if _applies(count, chosen)
        for difference in _compared(count, splits[count.split], card)
    ]


def _compared(count: OfficialCount, table: SampleTable, card: DatasetCard) -> list[Difference]:
    found = table.counts
    figures = (
        ("ids", found.ids, count.ids),
        ("tracklets" if card.data_type == "video" else "images", found.images, count.images),
        ("cameras", found.cameras, count.cameras),
    )
    return [
        Difference(count.split, what, here, official)
        for what, here, official in figures
        if official is not None and here != official
    ]


def _applies(count: OfficialCount, chosen: Mapping[str, Any]) -> bool:
    return all(chosen.get(option) == value for option, value in count.when.items())


def _defaults(factory: Callable[..., Any]) -> dict[str, Any]:
    parameters = inspect.signature(factory).parameters.values()
    return {
        parameter.name: parameter.default
        for parameter in parameters
        if parameter.default is not inspect.Parameter.empty
    }
