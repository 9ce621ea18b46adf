"""This package's own checks, one after the other."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from reid_plugins_inspect.checks.cameras import find_hopeless_queries
from reid_plugins_inspect.checks.corrupt import find_corrupt
from reid_plugins_inspect.checks.duplicates import find_duplicates, find_near_duplicates
from reid_plugins_inspect.checks.finding import Finding, first
from reid_plugins_inspect.checks.identities import find_leaks, find_lonely, find_nobody
from reid_plugins_inspect.checks.image_stats import ImageStats
from reid_plugins_inspect.checks.inputs import CheckedDataset
from reid_plugins_inspect.checks.queries_in_gallery import find_queries_in_gallery
from reid_plugins_inspect.checks.sizes import find_tiny
from reidcore.data import narrow_use

if TYPE_CHECKING:
    from reid_plugins_datasets.own.layouts import Layout


def find_everything(
    dataset: CheckedDataset, image_stats: ImageStats, unreadable: Mapping[int, str]
) -> Iterator[Finding]:
    """Yield what is wrong with a dataset.

    Args:
        dataset: the dataset to check.
        image_stats: (M,) records of its files.
        unreadable: place of a file -> why it cannot be read.
    """
    yield from _labels(dataset)
    yield from _left_out(dataset)
    yield from find_corrupt(dataset, image_stats, unreadable)
    if told := narrow_use(dataset.files.paths, dataset.reading):
        yield Finding("narrow-range", "warning", told, 1)
    yield from find_duplicates(dataset, image_stats)
    yield from find_near_duplicates(dataset, image_stats)
    yield from find_tiny(dataset, image_stats)
    if dataset.labelled:
        yield from find_leaks(dataset)
        yield from find_hopeless_queries(dataset)
        yield from find_queries_in_gallery(dataset, image_stats)
        yield from find_lonely(dataset)
        yield from find_nobody(dataset)
    if dataset.differences:
        yield _official_counts(dataset)


def _labels(dataset: CheckedDataset) -> Iterator[Finding]:
    """Say how a tree of images was read, or that it was not."""
    if layout := dataset.read_as:
        told = f"read by the names of folders: {layout.example}"
        if not len(dataset.query):
            told += (
                "; there is nothing to test on: reidcore data import makes a table of it, and "
                "reidcore data split draws query and gallery"
            )
        yield Finding("read-as", "note", told, 1, advice=_run_of(dataset, layout))
    if not dataset.labelled:
        yield Finding(
            "unlabelled",
            "note",
            "nothing is known of who is on the images: their paths are of no common form",
            len(dataset.train),
            first(list(dataset.files.paths)),
            "Understood are 0002_c1_x.jpg, 0002/c1/x.jpg, 0002/c1_x.jpg, c1/0002/x.jpg and "
            "c1/0002_x.jpg, in train/, query/ and gallery/ or without. Of datasets side by side "
            "give the folder of one. For another form give "
            r"pattern='(?P<pid>\d+)/.*cam(?P<camid>\d+)', or a table with --csv",
        )


def _run_of(dataset: CheckedDataset, layout: Layout) -> str:
    """Return the command that runs on a tree, to be pasted as it stands."""
    target = "-t folder" if len(dataset.query) else shlex.quote("data.targets=[]")
    root = shlex.quote(dataset.name)
    own = shlex.quote(f"data.save_dir=log/{Path(dataset.name).resolve().name or 'folder'}")
    return f"reidcore run quickstart -s folder {target} --root {root} {layout.words()} {own}"


def _left_out(dataset: CheckedDataset) -> Iterator[Finding]:
    for found in dataset.left_out:
        yield Finding(
            "left-out",
            "note" if found.expected else "warning",
            f"{found.amount} left out{f': {found.why}' if found.why else ''}",
            found.count,
            found.names,
            "" if found.expected else "They are neither learnt from nor tested on",
        )


def _official_counts(dataset: CheckedDataset) -> Finding:
    return Finding(
        "official-counts",
        "warning",
        f"{dataset.name} is not as its authors published it",
        len(dataset.differences),
        tuple(map(str, dataset.differences)),
        "Get it again, or another version of it; official numbers are in brackets",
    )
