"""What a dataset's factory returns, made a dataset."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reidcore.data.card import DatasetCard, card_of
from reidcore.data.dataset import MODES, Dataset, ImageDataset
from reidcore.data.official import differences
from reidcore.data.table import SampleTable
from reidcore.data.video import VideoDataset
from reidcore.errors import DataError
from reidcore.registry import Component, Entry

_log = logging.getLogger(__name__)

KINDS: Mapping[str, type[ImageDataset | VideoDataset]] = {
    "image": ImageDataset,
    "video": VideoDataset,
}


def make_dataset(component: Component, root: Path, split_id: int = 0) -> Dataset:
    """Call a dataset's factory once and make a dataset of what it gives.

    Where the factory has a card, the card says what is junk, whether the test images are learnt
    from under ``combineall``, and whether the samples are images or tracklets.

    Args:
        component: The registered dataset, with its own options.
        root: Folder below which the datasets lie.
        split_id: Zero-based split, for a dataset that has several.

    Raises:
        DataError: What the factory gives is not three splits of samples.
    """
    read = read_tables(component, root, split_id)
    if isinstance(read, Dataset):
        return read
    _log_differences(component, read, split_id)
    return _dataset_of(component.entry, root, read)


def read_tables(component: Component, root: Path, split_id: int = 0) -> list[SampleTable] | Dataset:
    """Return train, query and gallery as the factory gives them.

    A factory in Torchreid's style gives a dataset, which is returned as it is.

    Raises:
        DataError: What the factory gives is not three splits of samples.
    """
    with _collector_paused():
        made = component.make(root=root, split_id=split_id)
        return made if isinstance(made, Dataset) else _tables_of(component.entry, made)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Keep the garbage collector from walking over a million new samples again and again."""
    active = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if active:
            gc.enable()


def _log_differences(component: Component, tables: Sequence[SampleTable], split_id: int) -> None:
    entry = component.entry
    found = differences(entry.load(), tables, {**component.options, "split_id": split_id})
    if found:
        listed = ", ".join(map(str, found))
        _log.warning("%s is not as its authors published it: %s", entry.name, listed)


def _dataset_of(entry: Entry, root: Path, tables: Sequence[SampleTable]) -> Dataset:
    """Return the dataset of three tables, as the factory's card describes it; log its size."""
    card = card_of(entry.load())
    train, query, gallery = tables
    kind = KINDS[card.data_type if card else _kind_of(tables)]
    dataset = kind(train, query, gallery, verbose=False)
    if card is not None:
        _describe(dataset, card, root)
    dataset.show_summary(entry.name)
    return dataset


def _tables_of(entry: Entry, made: Any) -> list[SampleTable]:
    """Return the three tables of what a factory returned.

    Raises:
        DataError: It is not three splits of samples.
    """
    named: list[Any] = [getattr(made, mode, None) for mode in MODES]
    if all(split is not None for split in named):
        splits = named
    elif isinstance(made, tuple | list) and len(made) == len(MODES):
        splits = list(made)
    else:
        raise DataError(
            f"{entry.label} of plugin {entry.plugin!r} returned {type(made).__name__}",
            "It must return Splits(train, query, gallery), an ImageDataset or a VideoDataset",
        )
    return [
        SampleTable.of(split, f"{mode!r} of {entry.name}")
        for mode, split in zip(MODES, splits, strict=True)
    ]


def _describe(dataset: Dataset, card: DatasetCard, root: Path) -> None:
    dataset._junk_pids = card.junk_pids
    dataset._train_only = not card.combines
    dataset.dataset_dir = str(root / card.folder)
    dataset.dataset_url = card.source
    dataset.title = card.title


def _kind_of(tables: Sequence[SampleTable]) -> str:
    return "video" if any(table.paths.has_tracklets for table in tables) else "image"
