"""A quick look at images before a training, so that its test does not fail hours later."""

from __future__ import annotations

import logging
import os
import random
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from reidcore.config import DataOptions
from reidcore.data import (
    ImageDataset,
    ImageReading,
    SampleTable,
    UnreadableImageError,
    VideoDataset,
    first_names,
    read_pixels,
)
from reidcore.errors import DataError, counted
from reidcore.utils import usable_cpus

if TYPE_CHECKING:
    from reidcore.engine import Engine

_log = logging.getLogger(f"reidcore.{__name__}")

SECONDS = 30.0
"""How long the whole look takes at most: images are decoded for half of what is left when their
presence is known; of the others the headers are read in the other half."""

_READ_FILES = (ImageDataset.__getitem__, VideoDataset.__getitem__)
_THREADS = 8
_AT_ONCE = 64


def check_images(engine: Engine) -> None:
    """Look at the images of a run, as ``data.check_images`` of its data manager says.

    ``test`` decodes those to be tested on, and makes sure that those to learn from are there;
    ``all`` decodes these too. What cannot be read stops the run, unless ``data.on_bad_image`` says
    that it is left out. A run that goes on has had its images looked at; a data manager of another
    kind than the core's says nothing of them.

    Raises:
        DataError: images cannot be read.
    """
    options = getattr(engine.datamanager, "options", None)
    if not isinstance(options, DataOptions) or options.check_images == "none":
        return
    if engine.plan.start_epoch:
        return
    until = time.monotonic() + SECONDS
    tested = {
        f"the {split} of {name}": _files_of(loader)
        for name, pair in engine.test_loader.items()
        for split, loader in pair.items()
    }
    learnt = _files_of(engine.train_loader)
    bad = _missing(learnt, until - SECONDS / 2)
    decoded = [*tested.values(), *([learnt] if options.check_images == "all" else [])]
    files = list(dict.fromkeys(file for several in decoded for file in several))
    reading = ImageReading.recorded(engine.data_facts.preprocessing or {})
    bad |= _unreadable(files, reading, until)
    if not bad:
        return
    shown = first_names([f"{path} ({why})" for path, why in bad.items()], len(bad))
    if options.on_bad_image == "skip":
        _log.warning("Images that cannot be read and will be left out: %s", shown)
        for where, several in tested.items():
            if several and all(file in bad for file in several):
                raise DataError(
                    f"{where} is empty: {len(several)} of its images cannot be read, such as "
                    f"{several[0]} ({bad[several[0]]})",
                    "Repair them, or give the right folder; 'reidcore data check' tells more.",
                )
        return
    raise DataError(
        f"images cannot be read: {shown}",
        "Repair or remove them ('reidcore data check' tells more), leave them out by "
        "data.on_bad_image=skip, or train without this look: data.check_images=none",
    )


def _files_of(loader: Any) -> list[str]:
    """Return the image files that a loader reads; none of a dataset that reads in its own way."""
    dataset = getattr(loader, "dataset", None)
    return [
        file
        for part in getattr(dataset, "parts", [dataset])
        if getattr(type(part), "__getitem__", None) in _READ_FILES
        for file in SampleTable.of(part.data).paths.files()
    ]


def _missing(files: Iterable[str], until: float) -> dict[str, str]:
    """Return path -> reason of files that are not there, at one look at each folder in time."""
    below: dict[str, list[str]] = defaultdict(list)
    for file in files:
        below[os.path.dirname(file)].append(file)  # noqa: PTH120  (a million times)
    missing = {}
    for number, (folder, several) in enumerate(below.items()):
        if time.monotonic() > until:
            _log.info(
                "The time for a look at images did not suffice: %d of %s to learn from were looked "
                "into",
                *(number, counted(len(below), "folder")),
            )
            break
        try:
            there = set(os.listdir(folder or "."))  # noqa: PTH208  (thousands of folders)
        except OSError:
            there = set()
        for file in several:
            # Some systems find files by other spellings of their names.
            if os.path.basename(file) not in there and not Path(file).exists():  # noqa: PTH119
                missing[file] = "it is not there"
    return missing


def _unreadable(files: Sequence[str], reading: ImageReading, until: float) -> dict[str, str]:
    """Return path -> reason of images that cannot be read, in the order given."""
    now = time.monotonic()
    decode_until = (now + until) / 2
    # Where not all can be decoded in time, some of each folder are.
    shuffled = random.Random(0).sample(files, len(files))
    found: dict[str, str] = {}
    decoded = looked_at = 0
    with ThreadPoolExecutor(min(_THREADS, usable_cpus())) as pool:
        for begin in range(0, len(files), _AT_ONCE):
            some = shuffled[begin : begin + _AT_ONCE]
            now = time.monotonic()
            if now > until:
                break
            is_early = now <= decode_until
            look = partial(_decoded, reading=reading) if is_early else _opened
            decoded += len(some) * is_early
            looked_at += len(some)
            reasons = zip(some, pool.map(look, some), strict=True)
            found |= {path: reason for path, reason in reasons if reason}
    if decoded < len(files):
        _log.info(
            "The time for a look at images did not suffice (%.0f s): of %d images, %d were decoded "
            "before the training, and of %d the headers read",
            *(SECONDS, len(files), decoded, looked_at - decoded),
        )
    return {path: found[path] for path in files if path in found}


def _decoded(path: str, reading: ImageReading) -> str:
    """Return why an image cannot be decoded; nothing if it can."""
    try:
        read_pixels(path, reading=reading)
    except UnreadableImageError as error:
        return error.reason
    except DataError as error:
        return str(error)
    return ""


def _opened(path: str) -> str:
    """Return why a file cannot be an image; nothing if its header is that of one."""
    if not Path(path).is_file():  # a pipe would be waited for
        return "it is no file"
    try:
        with Image.open(path):
            return ""
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        return str(error) or type(error).__name__
