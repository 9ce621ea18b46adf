"""Datasets, folders and tables of anyone's, opened to be checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reid_plugins_datasets.own.layouts import recognise
from reid_plugins_inspect.checks.inputs import CheckedDataset
from reidcore import registry
from reidcore.data import (
    IMAGE_EXTENSIONS,
    Dataset,
    SampleTable,
    card_of,
    differences,
    find_image_files,
    noting_left_out,
    read_tables,
)
from reidcore.errors import DataError
from reidcore.plugins import Plugins
from reidcore.registry import Chooser, NamedDataset

if TYPE_CHECKING:
    from reidcore.config import Config

FOLDER, TABLE = "folder", "csv"
"""The datasets that read anyone's own folders, and one's own table."""


def open_dataset(
    name: str,
    root: Path,
    options: Mapping[str, Any],
    plugins: Plugins | None = None,
    config: Config | None = None,
) -> CheckedDataset:
    """Read a registered dataset, with its identities as they are.

    Args:
        name: Registered name, or one in the configuration's ``data.datasets``.
        root: Folder below which the datasets lie.
        options: The dataset's own options, in any of their spellings.
        plugins: Where to look; the current ones if None.
        config: A configuration that may name the dataset and give it options.

    Raises:
        UserError: The name or an option is unknown.
        DataError: The dataset cannot be read.
    """
    sections, datasets = (config.sections, config.data.datasets) if config else ({}, {})
    named = NamedDataset.of(datasets, name)
    if named is None:
        sections = {**sections, name: {**sections.get(name, {}), **options}}
    else:
        entry = registry.find("datasets", named.kind, plugins)
        root /= named.root(entry)
        datasets = {name: {named.kind: {**named.options(entry), **options}}}
    component = Chooser(plugins, sections, datasets=datasets)("datasets", name)
    entry, own = component.entry, component.options
    with noting_left_out(entry.name) as left_out:
        read = read_tables(component, root)
    if isinstance(read, Dataset):  # which has numbered its training identities anew
        splits = [SampleTable.of(split) for split in (read.train, read.query, read.gallery)]
        apart = True
    else:
        splits, card = read, card_of(entry.load())
        apart = card is not None and card.pids_apart
    train, query, gallery = splits
    return CheckedDataset(
        entry.name,
        train,
        query,
        gallery,
        unit="tracklets" if any(table.paths.has_tracklets for table in splits) else "images",
        pids_apart=apart,
        differences=[] if isinstance(read, Dataset) else differences(entry.load(), read, own),
        left_out=left_out,
    )


def open_folder(
    folder: Path, options: Mapping[str, Any], plugins: Plugins | None = None
) -> CheckedDataset:
    """Read a folder as a dataset if its tree is understood, otherwise its pictures.

    Args:
        folder: The folder.
        options: Options of the dataset ``folder``, such as ``pattern``; with any of them the folder
            has to be a dataset.
        plugins: Where to look; the current ones if None.

    Raises:
        DataError: There is no such folder, no picture in it, or it is not as the options say.
    """
    if not folder.is_dir():
        raise DataError(f"no folder {str(folder)!r}", "Check the path")
    layout = recognise(folder)
    if layout is None and not options and not (folder / "train").is_dir():
        return _pictures(folder)
    known = layout.options if layout else {}
    dataset = open_dataset(FOLDER, folder, {**known, **options}, plugins)
    return replace(dataset, name=str(folder), read_as=layout if known and not options else None)


def open_table(
    file: Path, options: Mapping[str, Any], plugins: Plugins | None = None
) -> CheckedDataset:
    """Read a table of paths, identities, cameras and splits.

    Args:
        file: The table.
        options: Options of the dataset ``csv``, such as the names of the columns.
        plugins: Where to look; the current ones if None.

    Raises:
        DataError: The table cannot be read.
    """
    dataset = open_dataset(TABLE, file.parent, {"file": file.name, **options}, plugins)
    return replace(dataset, name=str(file))


def _pictures(folder: Path) -> CheckedDataset:
    with noting_left_out(str(folder)) as left_out:
        files = [str(folder / name) for name in find_image_files(folder, below=True).files]
    if not files:
        endings = ", ".join(IMAGE_EXTENSIONS)
        raise DataError(f"no picture below {str(folder)!r}", f"Looked for {endings}")
    none = SampleTable.of([])
    pictures = SampleTable.of([(path, 0, 0) for path in files])
    return CheckedDataset(str(folder), pictures, none, none, labelled=False, left_out=left_out)
