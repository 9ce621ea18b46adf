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

from reidcore.data import (
    ImageDataset,
    ImageReading,
    SampleTable,
    UnreadableImageError,
    VideoDataset,
    read_pixels,
)
from reidcore.errors import DataError
from reidcore.utils import usable_cpus

if TYPE_CHECKING:
    from reidcore.engine import Engine

_log = logging.getLogger(f"reidcore.{__name__}")

SECONDS = 60.0
"""How long images are decoded; of those that are left then, the headers are read for as long."""

_READ_FILES = (ImageDataset.__getitem__, VideoDataset.__getitem__)
_THREADS = 8
_AT_ONCE = 256
_SHOWN = 3


def check_images(engine: Engine) -> None:
    """Look at the images of a run, as ``data.check_images`` of its data manager says.

    ``test`` decodes those to be tested on, and makes sure that those to learn from are there;
    ``all`` decodes these too. What cannot be read stops the run, unless ``data.on_bad_image`` says
    that it is left out.

    Raises:
        DataError: images cannot be read.
    """
    options = getattr(engine.datamanager, "options", None)
    if options is None or options.check_images == "none":
        return
    tested = {
        f"the {split} of {name}": _files_of(loader)
        for name, pair in engine.test_loader.items()
        for split, loader in pair.items()
    }
    learnt = _files_of(engine.train_loader)
    bad = _missing(learnt)
    decoded = [*tested.values(), *([learnt] if options.check_images == "all" else [])]
    files = list(dict.fromkeys(file for several in decoded for file in several))
    bad |= _unreadable(files, ImageReading.recorded(engine.data_facts.preprocessing or {}))
    if not bad:
        return
    shown = "; ".join(f"{path} ({why})" for path, why in list(bad.items())[:_SHOWN])
    more = f" and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
    if options.on_bad_image == "skip":
        _log.warning("Images that cannot be read and will be left out: %s%s", shown, more)
        for where, several in tested.items():
            if several and all(file in bad for file in several):
                raise DataError(
                    f"{where} is empty: {len(several)} of its images cannot be read, such as "
                    f"{several[0]} ({bad[several[0]]})",
                    "Repair them, or give the right folder; 'reidcore data check' tells more.",
                )
        return
    raise DataError(
        f"images cannot be read: {shown}{more}",
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


def _missing(files: Iterable[str]) -> dict[str, str]:
    """Return path -> reason of files that are not there, at one look at each folder."""
    below: dict[str, list[str]] = defaultdict(list)
    for file in files:
        below[os.path.dirname(file)].append(file)  # noqa: PTH120  (a million times)
    missing = {}
    for folder, several in below.items():
        try:
            there = set(os.listdir(folder or "."))  # noqa: PTH208  (thousands of folders)
        except OSError:
            there = set()
        for file in several:
            # Some systems find files by other spellings of their names.
            if os.path.basename(file) not in there and not Path(file).exists():  # noqa: PTH119
                missing[file] = "it is not there"
    return missing


def _unreadable(files: Sequence[str], reading: ImageReading) -> dict[str, str]:
    """Return path -> reason of images that cannot be read, in the order given."""
    started = time.monotonic()
    # Where not all can be decoded in time, some of each folder are.
    shuffled = random.Random(0).sample(files, len(files))
    found: dict[str, str] = {}
    decoded = looked_at = 0
    with ThreadPoolExecutor(min(_THREADS, usable_cpus())) as pool:
        for begin in range(0, len(files), _AT_ONCE):
            some = shuffled[begin : begin + _AT_ONCE]
            seconds = time.monotonic() - started
            if seconds > 2 * SECONDS:
                break
            look = partial(_decoded, reading=reading) if seconds <= SECONDS else _opened
            decoded += len(some) * (seconds <= SECONDS)
            looked_at += len(some)
            reasons = zip(some, pool.map(look, some), strict=True)
            found |= {path: reason for path, reason in reasons if reason}
    if decoded < len(files):
        _log.info(
            "Of %d images, %d were decoded before the training and %d looked at",
            *(len(files), decoded, looked_at - decoded),
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
