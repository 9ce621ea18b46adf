"""What a dataset's factory returns, made a dataset."""

from __future__ import annotations

import gc
import inspect
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
from reidcore.registry import Entry

_log = logging.getLogger(__name__)

KINDS: Mapping[str, type[ImageDataset | VideoDataset]] = {
    "image": ImageDataset,
    "video": VideoDataset,
}


def make_dataset(entry: Entry, root: Path, options: Mapping[str, Any]) -> Dataset:
    """Call a dataset's factory once and make a dataset of what it gives.

    Where the factory has a card, the card says what is junk, whether the test images are learnt
    from under ``combineall``, and whether the samples are images or tracklets.

    Args:
        entry: The registered dataset.
        root: Folder below which the datasets lie.
        options: The dataset's own options, under their real names.

    Raises:
        DataError: What the factory gives is not three splits of samples.
    """
    read = read_tables(entry, root, options)
    if isinstance(read, Dataset):
        return read
    _tell_differences(entry, read, options)
    return _dataset_of(entry, root, read)


def read_tables(
    entry: Entry, root: Path, options: Mapping[str, Any]
) -> list[SampleTable] | Dataset:
    """Return train, query and gallery as the factory gives them.

    A factory in Torchreid's style gives a dataset, which is returned as it is.

    Raises:
        DataError: What the factory gives is not three splits of samples.
    """
    with _collector_paused():
        made = _call_factory(entry, root, options)
        return made if isinstance(made, Dataset) else _tables_of(entry, made)


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


def _tell_differences(
    entry: Entry, tables: Sequence[SampleTable], options: Mapping[str, Any]
) -> None:
    found = differences(entry.load(), tables, options)
    if found:
        listed = ", ".join(map(str, found))
        _log.warning("%s is not as its authors published it: %s", entry.name, listed)


def _call_factory(entry: Entry, root: Path, options: Mapping[str, Any]) -> Any:
    """Call a dataset's factory, which may name its first parameter as it likes."""
    if _takes_root_first(entry):
        return entry.load()(root, **options)
    return entry.load()(root=root, **options)


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


def _takes_root_first(entry: Entry) -> bool:
    parameters = entry.parameters()
    return "root" not in parameters and any(
        parameter.kind
        in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        for parameter in parameters.values()
    )
