"""Datasets by name: the factory is called once, whatever views are then made of the result."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from reidcore import registry
from reidcore._logging import configure_if_bare
from reidcore.data.card import card_of
from reidcore.data.dataset import Dataset, Transform, view_of
from reidcore.data.making import make_dataset
from reidcore.data.video import check_sampling
from reidcore.errors import DataError, UserError, did_you_mean
from reidcore.plugins import Plugins
from reidcore.registry.component import Component, read_options
from reidcore.registry.signature import spellings

_log = logging.getLogger(__name__)

MANAGERS = {"image": "ImageDataManager", "video": "VideoDataManager"}

Sections = Mapping[str, Mapping[str, Any]]
"""Component name -> the options for that component alone."""


def open_datasets(
    names: Sequence[str],
    root: str | os.PathLike[str],
    shared: Mapping[str, Any] | None = None,
    sections: Sections | None = None,
    plugins: Plugins | None = None,
    data_type: str = "",
    combined: Collection[str] = (),
) -> dict[str, Dataset]:
    """Make each named dataset once.

    Args:
        names: Registered names.
        root: Folder below which the datasets lie.
        shared: Options, each given to those datasets that declare it; ``split_id`` among them.
        sections: Dataset name -> options for that one alone.
        plugins: Where to look; the current ones if None.
        data_type: ``image`` or ``video`` to refuse datasets of the other; empty to take any.
        combined: Those whose query and gallery will be learnt from too (``combineall``).

    Raises:
        UserError: A name or an option is unknown.
        DataError: What a dataset gives is not three splits of samples, or not of that type.
    """
    entries = {name: registry.find("datasets", name, plugins) for name in names}
    options = dict(shared or {})
    _check_shared(options, list(entries.values()), registry.entries("datasets", plugins))
    split_id = options.pop("split_id", 0)
    datasets: dict[str, Dataset] = {}
    for name, entry in entries.items():
        known = spellings(entry)
        given = _implied_options(entry) if name in combined else {}
        given |= {key: value for key, value in options.items() if key in known}
        given |= (sections or {}).get(name, {})
        component = Component(entry, read_options(entry, given))
        datasets[name] = make_dataset(component, Path(root).expanduser(), split_id)
    for name, dataset in datasets.items():
        _check_type(entries[name], dataset, data_type)
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
    combined = [name] if combineall else []
    dataset = open_datasets(
        [name], root, options, plugins=plugins, data_type=data_type, combined=combined
    )[name]
    return training_view(dataset, name, combineall=True) if combineall else dataset


def _implied_options(entry: registry.Entry) -> dict[str, Any]:
    """Return the options that ``combineall`` sets."""
    card = card_of(entry.load())
    return dict(card.combined_options) if card else {}


def _check_shared(
    shared: Mapping[str, Any], asked: Sequence[registry.Entry], known: Iterable[registry.Entry]
) -> None:
    """Make sure that somebody declares each shared option.

    One that only a dataset which was not asked for declares has no effect, as in Torchreid.
    """
    declared = {key for entry in asked for key in spellings(entry)}
    declared |= {"split_id" for entry in asked if "split_id" in entry.parameters()}
    elsewhere = {key for entry in known for key in entry.options}
    names = ", ".join(entry.name for entry in asked)
    for option, value in shared.items():
        # Torchreid's managers give the split to every dataset; nobody needs to have the first.
        if option in declared or (option == "split_id" and value == 0):
            continue
        if option not in elsewhere:
            raise UserError(
                f"none of the datasets {names} has an option {option!r}",
                did_you_mean(option, declared | elsewhere) or _listed(declared),
            )
        if value:
            _log.warning("%s=%r has no effect: none of %s has that option", option, value, names)


def _listed(options: Iterable[str]) -> str:
    listed = ", ".join(sorted(options))
    return f"Its options are: {listed}" if listed else "It has none"


def _check_type(entry: registry.Entry, dataset: Dataset, data_type: str) -> None:
    """Refuse images where tracklets are wanted, and the other way round."""
    if data_type and dataset.data_type not in ("", data_type):
        raise DataError(
            f"{entry.label} holds {dataset.unit}, and this reads data of type {data_type}",
            f"Set data.type={dataset.data_type} ({MANAGERS[dataset.data_type]})",
        )
