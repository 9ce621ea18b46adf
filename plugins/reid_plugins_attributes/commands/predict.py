"""``reidcore attributes predict``: which attributes the people of image files have."""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from reidcore.cli import Session, device_option, find_device, progress
from reidcore.errors import DataError, UserError, counted

if TYPE_CHECKING:
    from reid_plugins_attributes.answers import LearntAttributes
    from reidcore.inference import FeatureExtractor

_log = logging.getLogger(f"reidcore.{__name__}")

EPILOG = """\b
Examples:
  reidcore attributes predict photos -w log/attributes_quickstart/model.pth.tar-6 -o attributes.csv
  reidcore attributes predict 'shots/**/*.jpg' -w model.pth.tar -o attributes.csv --device cpu
"""


@click.command(epilog=EPILOG)
@click.argument("sources", nargs=-1, required=True, type=click.Path())
@click.option(
    "-w",
    "--weights",
    required=True,
    type=click.Path(),
    metavar="FILE",
    help="Checkpoint of the run.",
)
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="File, ending in .csv.",
)
@click.option("--batch-size", type=int, help="Images at a time.")
@device_option
@click.pass_obj
def predict(
    session: Session,
    /,
    sources: Sequence[str],
    weights: str,
    output: str,
    batch_size: int | None,
    device: str | None,
) -> None:
    """Write how probably each image has each attribute.

    SOURCES are image files, folders (everything below them) and patterns. OUTPUT is a table: path,
    and a column for each attribute that the checkpoint learnt, from 0 to 1. Images that cannot be
    read are told and left out.
    """
    from reid_plugins_extraction.find_images import find_images

    from reid_plugins_attributes.answers import read_attributes
    from reidcore.inference import FeatureExtractor
    from reidcore.utils import atomic_write

    if Path(output).suffix != ".csv":
        raise UserError(f"the output {output!r} does not end in .csv", "Add the ending.")
    paths = find_images(sources)
    learnt = read_attributes(weights)
    if learnt is None:
        raise UserError(
            f"{weights!r} learnt no attributes",
            "Train with the loss 'attributes': reidcore run attributes_quickstart.",
        )
    with session.plugins() as plugins:
        extractor = FeatureExtractor(
            model_path=weights,
            device=find_device(device),
            verbose=False,
            batch_size=batch_size,
            plugins=plugins,
        )
        # Opened before anything is predicted: what cannot be written is told at once.
        with atomic_write(output) as file:
            written = _write(file, learnt, _answered(extractor, paths, learnt))
            if not written:
                raise DataError(f"of {counted(len(paths), 'image')} none can be read", "See above.")
    _log.info(
        "%s: %s of %s",
        output,
        counted(len(learnt.questions), "attribute"),
        counted(written, "image"),
    )


def _write(
    file: IO[bytes], learnt: LearntAttributes, answered: Iterable[tuple[str, list[float]]]
) -> int:
    """Write a row for each image, and return how many there are."""
    text = io.TextIOWrapper(file, "utf-8", errors="surrogateescape", newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["path", *(each.name for each in learnt.questions)])
    written = 0
    for path, shares in answered:
        rows.writerow([path, *(f"{share:.4f}" for share in shares)])
        written += 1
    text.detach()  # flushed; the file stays open
    return written


def _answered(
    extractor: FeatureExtractor, paths: Sequence[str], learnt: LearntAttributes
) -> Iterator[tuple[str, list[float]]]:
    """Yield each image that can be read, and the probability of each attribute."""
    from reid_plugins_attributes.answers import probabilities
    from reidcore.data import leave_out

    bad: list[str] = []
    with progress("attributes", len(paths)) as advance:

        def note(place: int, error: UserError) -> None:
            bad.append(f"{paths[place]} ({error.what})")
            advance(1)

        for batch in extractor.extract(paths, on_bad=note):
            answers = probabilities(learnt, batch.features).tolist()
            yield from zip([paths[place] for place in batch.places], answers, strict=True)
            advance(len(batch.places))
    leave_out(bad, "images", "unreadable", total=len(paths))
