"""Datasets by name: the factory is called once, whatever views are then made of the result."""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from reidcore import registry
from reidcore._logging import configure_if_bare
from reidcore.data.card import DatasetCard, card_of, differences
from reidcore.data.dataset import MODES, Dataset, ImageDataset, Transform, view_of
from reidcore.data.label_names import LabelNames
from reidcore.data.left_out import noting_left_out
from reidcore.data.table import SampleError, SampleTable
from reidcore.data.video import VideoDataset, check_sampling
from reidcore.errors import (
    DataError,
    PluginDefectError,
    UnknownNameError,
    UserError,
    did_you_mean,
    quoted,
)
from reidcore.plugins import Plugins
from reidcore.registry import Choose, Chooser, Component, Entry
from reidcore.registry.lookup import is_registered
from reidcore.registry.named import NamedDataset, NamedDatasets
from reidcore.registry.signature import options_hint, spellings

_log = logging.getLogger(__name__)

KINDS: Mapping[str, type[ImageDataset | VideoDataset]] = {
    "image": ImageDataset,
    "video": VideoDataset,
}
MANAGERS = {"image": "ImageDataManager", "video": "VideoDataManager"}

SECTION_KINDS = ("datasets", "transforms", "samplers")

Sections = Mapping[str, Mapping[str, Any]]
"""Component name -> the options for that component alone."""


def open_datasets(
    names: Iterable[str],
    root: str | os.PathLike[str],
    choose: Choose = registry.choose,
    *,
    split_id: int = 0,
    data_type: str = "",
    combined: Collection[str] = (),
    named: NamedDatasets | None = None,
    shown: bool = True,
) -> dict[str, Dataset]:
    """Make each named dataset once.

    Args:
        names: Registered names.
        root: Folder below which the datasets lie.
        choose: Gives each with its options.
        split_id: Zero-based split, for datasets that have several.
        data_type: ``image`` or ``video`` to refuse datasets of the other; empty to take any.
        combined: Those whose query and gallery will be learnt from too (``combineall``).
        named: Datasets under names of one's own, some of which lie below roots of their own.
        shown: Log how many identities and images their splits have.

    Raises:
        UserError: A name or an option is unknown.
        PluginDefectError: What a dataset gives is not three splits of samples.
        DataError: A dataset is not of that type.
    """
    components = {name: choose("datasets", name) for name in names}
    _check_split(split_id, [component.entry for component in components.values()])
    datasets: dict[str, Dataset] = {}
    for name, component in components.items():
        chosen = _combining(component) if name in combined else component
        own = NamedDataset.of(named or {}, name)
        below = Path(own.root(component.entry) if own else "").expanduser()
        place = Path(root).expanduser() / below
        try:
            datasets[name] = make_dataset(chosen, place, split_id, shown)
        except DataError as error:
            if own is None:
                raise
            raise DataError(f"dataset {name!r}: {error.what}", error.hint) from error
    for name, dataset in datasets.items():
        _check_type(components[name].entry, dataset, data_type)
    return datasets


def init_image_dataset(
    name: str,
    *,
    root: str | os.PathLike[str] = "",
    transform: Transform | None = None,
    k_tfm: int = 1,
    mode: str = "train",
    combineall: bool = False,
    plugins: Plugins | None = None,
    **options: Any,
) -> Dataset:
    """Make a dataset by its registered name, as a view of one split.

    Args:
        name: Registered name.
        root: Folder below which the datasets lie.
        transform: Applied to each image.
        k_tfm: How often, see `Dataset`.
        mode: ``train``, ``query`` or ``gallery``.
        combineall: Whether query and gallery are learnt from as well.
        plugins: Where to look; the current ones if None.
        options: The dataset's own options.

    Raises:
        UserError: The name or an option is unknown.
    """
    dataset = _of_type("image", name, root, combineall, plugins, options)
    return view_of(dataset, mode, transform, k_tfm)


def init_video_dataset(
    name: str,
    *,
    root: str | os.PathLike[str] = "",
    transform: Transform | None = None,
    mode: str = "train",
    combineall: bool = False,
    seq_len: int = 15,
    sample_method: str = "evenly",
    plugins: Plugins | None = None,
    **options: Any,
) -> Dataset:
    """Make a dataset of tracklets by its registered name, as a view of one split.

    Args:
        name: Registered name.
        root: Folder below which the datasets lie.
        transform: Applied to each frame.
        mode: ``train``, ``query`` or ``gallery``.
        combineall: Whether query and gallery are learnt from as well.
        seq_len: Number of frames to read of a tracklet.
        sample_method: Which ones, see `VideoDataset`.
        plugins: Where to look; the current ones if None.
        options: The dataset's own options.

    Raises:
        UserError: The name, an option or the method is unknown.
    """
    check_sampling(sample_method, seq_len)
    dataset = _of_type("video", name, root, combineall, plugins, options)
    view = view_of(dataset, mode, transform)
    set_sampling(view, seq_len, sample_method)
    return view


def set_sampling(dataset: Dataset, seq_len: int, sample_method: str) -> None:
    """Say which frames a dataset of tracklets reads; one with its own ``__getitem__`` may ask."""
    dataset.seq_len = seq_len  # type: ignore[attr-defined]
    dataset.sample_method = sample_method  # type: ignore[attr-defined]


def training_view(dataset: Dataset, name: str, *, combineall: bool, k_tfm: int = 1) -> Dataset:
    """Return a view of the training samples; with ``combineall`` of all, and log their numbers."""
    view = view_of(dataset, "train", k_tfm=k_tfm)
    if combineall:
        view.combine_all()
        view.data = view.train
        view.show_summary(f"{name}, query and gallery combined with train")
    return view


def make_dataset(
    component: Component, root: Path, split_id: int = 0, shown: bool = True
) -> Dataset:
    """Call a dataset's factory once and make a dataset of what it gives.

    Where the factory has a card, the card says what is junk, whether the test images are learnt
    from under ``combineall``, and whether the samples are images or tracklets.

    Args:
        component: The registered dataset, with its own options.
        root: Folder below which the datasets lie.
        split_id: Zero-based split, for a dataset that has several.
        shown: Log how many identities and images its splits have.

    Raises:
        PluginDefectError: What the factory gives is not three splits of samples.
    """
    with noting_left_out(component.entry.name) as left_out:
        read = read_tables(component, root, split_id)
        made = read if isinstance(read, Dataset) else _dataset_of(component.entry, root, read)
    made.left_out, made.origin = left_out, component.entry.origin
    if not isinstance(read, Dataset):
        _log_differences(component, read, split_id)
        if shown:
            made.show_summary(component.entry.name)
    return made


def read_tables(component: Component, root: Path, split_id: int = 0) -> list[SampleTable] | Dataset:
    """Return train, query and gallery as the factory gives them.

    A factory in Torchreid's style gives a dataset, which is returned as it is.

    Raises:
        PluginDefectError: What the factory gives is not three splits of samples.
    """
    entry = component.entry
    try:
        with _collector_paused():
            made = component.make(root=root, split_id=split_id)
            if not isinstance(made, Dataset):
                return _tables_of(entry, made)
    except SampleError as error:
        raise PluginDefectError(f"{entry.origin}: {error.what}", error.hint) from error
    if not all(hasattr(made, mode) for mode in MODES):
        raise entry.defect(
            made, "a dataset that has called super().__init__(train, query, gallery)"
        )
    return made


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
    """Return the dataset of three tables, as the factory's card describes it."""
    card = card_of(entry.load())
    train, query, gallery = tables
    kind = KINDS[card.data_type if card else _kind_of(tables)]
    dataset = kind(train, query, gallery, verbose=False)
    if card is not None:
        _describe(dataset, card, root)
    return dataset


def _tables_of(entry: Entry, made: Any) -> list[SampleTable]:
    """Return the three tables of what a factory returned.

    Raises:
        PluginDefectError: It is not three splits.
        SampleError: One holds something else than samples.
    """
    try:
        named: list[Any] = [getattr(made, mode, None) for mode in MODES]
    except Exception:  # whatever a foreign object raises
        named = [None]
    if all(split is not None for split in named):
        splits = named
    elif isinstance(made, tuple | list) and len(made) == len(MODES):
        splits = list(made)
    else:
        raise entry.defect(made, "Splits(train, query, gallery), an ImageDataset or a VideoDataset")
    tables = [
        SampleTable.of(split, f"{mode!r} of {entry.name}")
        for mode, split in zip(MODES, splits, strict=True)
    ]
    card = card_of(entry.load())
    if card is None or not card.camera_names:
        return tables
    names = LabelNames(camids=dict(enumerate(card.camera_names)))
    return [replace(table, names=names) for table in tables]


def _describe(dataset: Dataset, card: DatasetCard, root: Path) -> None:
    dataset._junk_pids = card.junk_pids
    dataset._train_only = not card.combines
    dataset.dataset_dir = str(root / card.folder)
    dataset.dataset_url = card.source
    dataset.title = card.title


def _kind_of(tables: Sequence[SampleTable]) -> str:
    return "video" if any(table.paths.has_tracklets for table in tables) else "image"


def _of_type(
    data_type: str,
    name: str,
    root: str | os.PathLike[str],
    combineall: bool,
    plugins: Plugins | None,
    options: dict[str, Any],
) -> Dataset:
    configure_if_bare()
    options.pop("verbose", None)
    split_id = options.pop("split_id", 0)
    check_shared(options, [name], plugins)
    dataset = open_datasets(
        [name],
        root,
        Chooser(plugins, shared={"datasets": options}),
        split_id=split_id,
        data_type=data_type,
        combined=[name] if combineall else (),
    )[name]
    return training_view(dataset, name, combineall=True) if combineall else dataset


def _combining(component: Component) -> Component:
    """Return a dataset with the options that ``combineall`` sets where they are not given."""
    card = card_of(component.entry.load())
    implied = card.combined_options if card else {}
    return replace(component, options={**implied, **component.options})


def check_shared(
    shared: Mapping[str, Any],
    names: Iterable[str],
    plugins: Plugins | None = None,
    own: Collection[str] = (),
) -> None:
    """Make sure that some dataset declares each option that is given to all of them.

    One that only a dataset which was not asked for declares has no effect, as in Torchreid.

    Args:
        shared: The options.
        names: The datasets in use.
        plugins: Where to look; the current ones if None.
        own: Names of the program's own that might have been meant.

    Raises:
        UserError: No dataset at all has such an option; the message has the nearest ones.
    """
    asked = [registry.find("datasets", name, plugins, own) for name in dict.fromkeys(names)]
    declared = {key for entry in asked for key in spellings(entry)}
    elsewhere = {key for entry in registry.entries("datasets", plugins) for key in entry.options}
    listed = ", ".join(entry.name for entry in asked)
    for option, value in shared.items():
        if option in declared:
            continue
        if option not in elsewhere:
            raise UserError(
                f"none of the datasets {listed} has an option {quoted(option)}",
                did_you_mean(option, declared | elsewhere) or options_hint(sorted(declared)),
            )
        if value:
            _log.warning("%s=%r has no effect: none of %s has that option", option, value, listed)


def check_sections(
    sections: Iterable[str], used: Iterable[str], plugins: Plugins | None = None
) -> None:
    """Make sure that each section is named after a component; that one need not be in use.

    Args:
        sections: The names that options are given for.
        used: The components in use.
        plugins: Where to look; the current ones if None.

    Raises:
        UnknownNameError: There is no such component; the message has the nearest ones.
    """
    used = set(used)
    for name in sections:
        if name in used or any(is_registered(k, name, plugins) for k in SECTION_KINDS):
            continue
        known = {entry.name for kind in SECTION_KINDS for entry in registry.entries(kind, plugins)}
        raise UnknownNameError(
            f"sections names {quoted(name)}, which is no dataset, transform or sampler",
            did_you_mean(name, used | known) or f"In use: {', '.join(sorted(used))}",
        )


def _check_split(split_id: int, asked: Sequence[Entry]) -> None:
    """Refuse another split than the first where no dataset has several."""
    if split_id and not any("split_id" in entry.parameters() for entry in asked):
        names = ", ".join(entry.name for entry in asked)
        raise UserError(
            f"none of the datasets {names} has an option 'split_id'", "Leave data.split_id at 0"
        )


def _check_type(entry: Entry, dataset: Dataset, data_type: str) -> None:
    """Refuse images where tracklets are wanted, and the other way round."""
    if data_type and dataset.data_type not in ("", data_type):
        raise DataError(
            f"{entry.label} holds {dataset.unit}, and this reads data of type {data_type}",
            f"Set data.type={dataset.data_type} ({MANAGERS[dataset.data_type]})",
        )
