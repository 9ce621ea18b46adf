"""``reidcore extract``: features of image files."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reidcore._files import atomic_write, check_writable
from reidcore._logging import configure_if_bare
from reidcore._progress import progress
from reidcore.cli.device import device_option, find_device
from reidcore.cli.names import component_names
from reidcore.cli.options import reading_options
from reidcore.cli.session import Session
from reidcore.errors import DataError, UserError, counted

if TYPE_CHECKING:
    import numpy as np

    from reidcore.inference import FeatureExtractor
    from reidcore.plugins import Plugins

_log = logging.getLogger(__name__)

EPILOG = """\b
Examples:
  reidcore extract photos -w log/quickstart/model.pth.tar-8 -o features.npz
  reidcore extract 'a/**/*.jpg' b.png -w weights.pth -m osnet_x1_0 -o features.npz
"""

FILE, MODELS = click.Path(), component_names("models")


@click.command(epilog=EPILOG)
@click.argument("sources", nargs=-1, required=True, type=click.Path())
@click.option("-w", "--weights", required=True, type=FILE, help="Checkpoint, or other weights.")
@click.option("-o", "--output", required=True, type=FILE, help="File to write, ending in .npz.")
@click.option(
    "-m", "--model", default="", shell_complete=MODELS, help="If the weights do not tell it."
)
@click.option("--batch-size", type=int, help="Images at a time.")
@device_option
@click.option("--height", type=int, help="Of the images, in pixels; with --width.")
@click.option("--width", type=int, help="By default the checkpoint's, or 256 by 128.")
@reading_options
@click.pass_obj
def extract(session: Session, /, **options: Any) -> None:
    """Extract the features of images with a trained model.

    SOURCES are image files, folders (everything below them) and patterns. OUTPUT holds "features",
    (N, D) float32, and "paths", (N,), in the same order. Images that cannot be read are told and
    left out.
    """
    with session.plugins() as plugins:
        write_features(Extraction(**options), plugins)


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
    reading: str | None
    value_range: tuple[float, float] | None

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
    import numpy as np

    from reidcore.inference.find_images import find_images

    configure_if_bare()
    image_size = asked.image_size
    _check_output(Path(asked.output))
    paths = find_images(asked.sources)
    extractor = _make_extractor(asked, image_size, plugins)
    features, kept = _extract(extractor, paths)
    with atomic_write(asked.output) as file:
        np.savez(file, features=features, paths=np.array([paths[place] for place in kept]))
    count, dim = features.shape
    _log.info("%s: %s of %d numbers", asked.output, counted(count, "feature"), dim)


def _check_output(output: Path) -> None:
    if output.suffix != ".npz":
        raise UserError(f"the output {str(output)!r} does not end in .npz", "Add the ending.")
    if output.is_dir():
        raise UserError(f"{str(output)!r} is a folder", "Choose a file you may write.")
    check_writable(output.parent, "-o FILE")


def _make_extractor(
    asked: Extraction, image_size: tuple[int, int] | None, plugins: Plugins
) -> FeatureExtractor:
    from reidcore.inference import FeatureExtractor

    return FeatureExtractor(
        asked.model,
        asked.weights,
        image_size=image_size,
        device=find_device(asked.device),
        verbose=False,
        batch_size=asked.batch_size,
        plugins=plugins,
        reading=asked.reading,
        value_range=asked.value_range,
    )


def _extract(extractor: FeatureExtractor, paths: list[str]) -> tuple[np.ndarray, list[int]]:
    """Return (N, D) features and the places of their images in the list."""
    import numpy as np

    from reidcore.data.left_out import leave_out

    features, kept, bad = [], [], []
    with progress("extracting", len(paths)) as advance:

        def note(place: int, error: UserError) -> None:
            bad.append(f"{paths[place]} ({getattr(error.__cause__, 'reason', error.what)})")
            advance(1)

        for batch in extractor.batches(paths, on_bad=note):
            features.append(batch.features.float().cpu().numpy())
            kept += batch.places
            advance(len(batch.places))
    leave_out(bad, "images", "unreadable", total=len(paths))
    if not features:
        raise DataError(
            f"of {counted(len(paths), 'image')} none can be read", "See the lines above."
        )
    return np.concatenate(features), kept
