"""The work of ``reidcore extract``."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from reidcore._files import atomic_write, mkdir_if_missing
from reidcore._logging import configure_if_bare
from reidcore.errors import DataError, UserError
from reidcore.inference.find_images import find_images

if TYPE_CHECKING:
    from reidcore.inference import FeatureExtractor
    from reidcore.plugins import Plugins

_log = logging.getLogger(__name__)

Advance = Callable[[int], None]

_SECONDS_BETWEEN_LINES = 10.0


@dataclass(frozen=True)
class Extraction:
    """The command's arguments."""

    sources: Sequence[str]
    weights: str
    output: str
    model: str
    batch_size: int | None
    device: str | None
    height: int | None
    width: int | None

    @property
    def image_size(self) -> tuple[int, int] | None:
        """Height and width, or None if the checkpoint is to tell.

        Raises:
            UserError: if one of them is missing.
        """
        if self.height is None and self.width is None:
            return None
        if self.height is None or self.width is None:
            raise UserError("an image has two sides", "Give both --height and --width.")
        return self.height, self.width


def write_features(asked: Extraction, plugins: Plugins) -> None:
    """Extract features and write them to a file.

    Raises:
        UserError: if no image is named or readable, the model cannot be built, or the file cannot
            be written; most of it before any work is done.
    """
    configure_if_bare()
    image_size = asked.image_size
    _check_output(Path(asked.output))
    paths = find_images(asked.sources)
    extractor = _make_extractor(asked, image_size, plugins)
    features, kept = _extract(extractor, paths)
    with atomic_write(asked.output) as file:
        np.savez(file, features=features, paths=np.array([paths[place] for place in kept]))
    count, dim = features.shape
    _log.info("%s: %d features of %d numbers", asked.output, count, dim)
    if count < len(paths):
        _log.warning("%d of %d images could not be read", len(paths) - count, len(paths))


def _check_output(output: Path) -> None:
    if output.suffix != ".npz":
        raise UserError(f"the output {str(output)!r} does not end in .npz", "Add the ending.")
    mkdir_if_missing(output.parent)
    if output.is_dir() or not os.access(output.parent, os.W_OK):
        raise UserError(f"cannot write {str(output)!r}", "Choose a file you may write.")


def _make_extractor(
    asked: Extraction, image_size: tuple[int, int] | None, plugins: Plugins
) -> FeatureExtractor:
    # Torch's threads would otherwise spin while they wait, on the cores that decode images.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import torch

    from reidcore.inference import FeatureExtractor

    return FeatureExtractor(
        asked.model,
        asked.weights,
        image_size=image_size,
        device=asked.device or ("cuda" if torch.cuda.is_available() else "cpu"),
        verbose=False,
        batch_size=asked.batch_size,
        plugins=plugins,
    )


def _extract(extractor: FeatureExtractor, paths: list[str]) -> tuple[np.ndarray, list[int]]:
    """Return (N, D) features and the places of their images in the list."""
    features, kept = [], []
    with _progress(len(paths)) as advance:

        def leave_out(place: int, error: UserError) -> None:
            _log.warning("Left out: %s", error.what)
            advance(1)

        for batch in extractor.batches(paths, on_bad=leave_out):
            features.append(batch.features.float().cpu().numpy())
            kept += batch.places
            advance(len(batch.places))
    if not features:
        raise DataError(f"none of the {len(paths)} images can be read", "See the lines above.")
    return np.concatenate(features), kept


@contextmanager
def _progress(total: int) -> Iterator[Advance]:
    """Show how many images are done: a bar on a terminal, a line now and then elsewhere."""
    if sys.stdout.isatty():
        yield from _bar(total)
    else:
        yield from _lines(total)


def _bar(total: int) -> Iterator[Advance]:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("extracting"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress:
        task = progress.add_task("", total=total)
        yield lambda count: progress.advance(task, count)


def _lines(total: int) -> Iterator[Advance]:
    done, told = 0, time.monotonic()

    def advance(count: int) -> None:
        nonlocal done, told
        done += count
        if time.monotonic() - told > _SECONDS_BETWEEN_LINES:
            told = time.monotonic()
            _log.info("%d of %d images", done, total)

    yield advance
