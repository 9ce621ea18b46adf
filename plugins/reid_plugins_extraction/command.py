"""``reidcore extract``: features of image files, and of the boxes of a video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reidcore.cli import Session, component_names, device_option, find_device, reading_options
from reidcore.errors import UserError, counted
from reidcore.utils import check_writable

if TYPE_CHECKING:
    from reid_plugins_extraction.subjects import Subjects
    from reidcore.inference import FeatureExtractor
    from reidcore.plugins import Plugins

EPILOG = """\b
Examples:
  reidcore extract photos -w log/quickstart/model.pth.tar-8 -o features.npz
  reidcore extract 'a/**/*.jpg' @more.txt -w weights.pth -m osnet_x1_0 -o features.parquet
  reidcore extract door.mp4 --boxes door.txt -w model.onnx -o door.npz
"""

FILE, MODELS = click.Path(), component_names("models")


@click.command(epilog=EPILOG)
@click.argument("sources", nargs=-1, type=click.Path())
@click.option(
    "-w",
    "--weights",
    required=True,
    type=FILE,
    metavar="FILE",
    help="Checkpoint, other weights or exported file.",
)
@click.option(
    "-o",
    "--output",
    required=True,
    type=FILE,
    metavar="FILE",
    help="File to write, ending in .npz or .parquet.",
)
@click.option(
    "--list", "listing", type=FILE, metavar="FILE", help="File with the path of an image a line."
)
@click.option(
    "--boxes",
    type=FILE,
    metavar="FILE",
    help="Boxes of a video: rows of frame, id, left, top, width, height.",
)
@click.option(
    "-m",
    "--model",
    default="",
    shell_complete=MODELS,
    metavar="NAME",
    help="If the weights do not tell it.",
)
@click.option(
    "--backend", metavar="NAME", help="What runs the model; by default the file's ending tells it."
)
@click.option(
    "--precision",
    type=click.Choice(["fp32", "bf16", "fp16", "int8"]),
    default="fp32",
    show_default=True,
    help="Of the computation; features are written as float32.",
)
@click.option(
    "--normalise",
    "--normalize",
    "normalize",
    is_flag=True,
    help="Divide each feature by its length.",
)
@click.option("--batch-size", type=int, help="Images at a time.")
@click.option("--workers", type=int, help="Threads that read images.")
@device_option
@click.option("--height", type=int, help="Of the images, in pixels; with --width.")
@click.option("--width", type=int, help="By default the checkpoint's, or 256 by 128.")
@reading_options
@click.pass_obj
def extract(session: Session, /, **options: Any) -> None:
    """Extract the features of images, or of the boxes of a video.

    SOURCES are image files, folders (everything below them), patterns and lists (@FILE, with a path
    a line). OUTPUT holds "features", (N, D) float32, and "paths", (N,), in the same order. With
    --boxes the source is one video, stream or folder of numbered frames, and OUTPUT holds "frame",
    "track", "box" and "confidence" beside the features.

    What cannot be read is told and left out. An extraction that was interrupted goes on where it
    was. Processes that torchrun starts share the work.
    """
    with session.plugins() as plugins:
        write_features(Extraction(**options), plugins)


@dataclass(frozen=True)
class Extraction:
    """The command's arguments."""

    sources: Sequence[str]
    weights: str
    output: str
    listing: str | None
    boxes: str | None
    model: str
    backend: str | None
    precision: str
    normalize: bool
    batch_size: int | None
    workers: int | None
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

    def subjects(self) -> Subjects:
        """Return what features are extracted of.

        Raises:
            UserError: if a source names no image, or the boxes cannot be read.
        """
        from reid_plugins_tracks.videos import is_stream, is_video

        from reid_plugins_extraction.find_images import find_images
        from reid_plugins_extraction.subjects import Boxes, Files

        if self.boxes is None:
            videos = [each for each in self.sources if is_stream(each) or is_video(Path(each))]
            if videos:
                raise UserError(
                    f"{videos[0]!r} is a video, of which boxes are extracted",
                    "Give --boxes FILE: rows of frame, id, left, top, width, height.",
                )
            lists = [self.listing] if self.listing else []
            if not (self.sources or lists):
                raise UserError("no source is named", "Name images, folders, patterns or lists.")
            return Files(find_images([*self.sources, *(f"@{name}" for name in lists)]))
        if len(self.sources) != 1 or self.listing:
            raise UserError(
                f"--boxes are of one source, and there are {counted(len(self.sources), 'source')}",
                "Name one video, stream or folder of frames; call it for each camera.",
            )
        if self.reading or self.value_range:
            raise UserError(
                "--reading and --value-range are of image files, and frames are read as viewers "
                "show them",
                "Leave them out.",
            )
        return Boxes(self.sources[0], Path(self.boxes))


def write_features(asked: Extraction, plugins: Plugins) -> None:
    """Extract features and write them to a file.

    Raises:
        UserError: if no image is named or readable, the model cannot be built, or the file cannot
            be written; most of it before any work is done.
    """
    image_size = asked.image_size
    output = Path(asked.output)
    _check_output(output)
    subjects = asked.subjects()

    from reid_plugins_extraction.extraction import extract_table
    from reid_plugins_extraction.fingerprint import record_of
    from reidcore.engine import join_processes

    with join_processes():
        extractor = _make_extractor(asked, image_size, plugins)
        record = record_of(extractor, asked.weights)
        extract_table(extractor, subjects, record, output)


def _check_output(output: Path) -> None:
    from reid_plugins_extraction.tables import check_format

    check_format(output)
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
        device=find_device(asked.device or _own_gpu()),
        verbose=False,
        batch_size=asked.batch_size,
        workers=asked.workers,
        plugins=plugins,
        reading=asked.reading,
        value_range=asked.value_range,
        backend=asked.backend,
        precision=asked.precision,
        normalize=asked.normalize,
    )


def _own_gpu() -> str | None:
    """Return the GPU that is this process's among several, which joining them has chosen."""
    import torch

    return f"cuda:{torch.cuda.current_device()}" if torch.cuda.is_available() else None
