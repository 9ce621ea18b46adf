"""``reidcore data show``: what a dataset, or a transform, looks like."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reid_plugins_inspect.commands.data.inputs import DatasetOptions, dataset_options
from reidcore.cli import Session, echo
from reidcore.errors import DataError, UserError, counted

if TYPE_CHECKING:
    from PIL import Image

    from reid_plugins_inspect.checks import CheckedDataset
    from reidcore.data import SampleTable
    from reidcore.plugins import Plugins

EPILOG = """\b
Examples:
  reidcore data show market1501 -o market1501.png
  reidcore data show --folder shop --split gallery --ids 20 -o shop.png
  reidcore data show market1501 --transforms random_flip,random_erase -o erased.png
"""


@dataclass(frozen=True)
class Picture:
    """How the picture is to be."""

    split: str | None
    ids: int
    transforms: str | None
    width: int | None
    height: int | None
    seed: int

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Return height and width, as given or by default."""
        return self.height or height, self.width or width


@click.command(epilog=EPILOG)
@dataset_options
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(),
    metavar="FILE",
    help="Picture to write (.png).",
)
@click.option("--split", type=click.Choice(["train", "query", "gallery"]), help="What to draw.")
@click.option("--ids", type=click.IntRange(1), default=10, show_default=True, help="Rows.")
@click.option("--transforms", metavar="A,B", help="Draw images before and after these instead.")
@click.option("--width", type=click.IntRange(16), help="Of each image, in pixels.")
@click.option("--height", type=click.IntRange(16), help="Of each image, in pixels.")
@click.option("--seed", default=0, show_default=True, help="Other identities, other draws.")
@click.pass_obj
def show(session: Session, /, chosen: DatasetOptions, output: str, **options: object) -> None:
    """Draw identities as each camera saw them, or images before and after transforms.

    The contact sheet has a row for each identity and a column for each camera; a number in a
    corner says how many images there are of which one is shown.
    """
    from reidcore.utils import atomic_write, check_writable

    path = Path(output)
    if path.suffix.lower() not in (".png", ".jpg", ".jpeg", ".webp"):
        raise UserError(f"the output {output!r} is no picture", "Let it end in .png")
    check_writable(path.parent, "-o FILE")
    wanted = Picture(**options)  # type: ignore[arg-type]
    with session.plugins() as plugins:
        dataset = chosen.open(plugins)
        name, table = _split(dataset, wanted.split)
        if wanted.transforms is None:
            sheet = _contact_sheet(dataset, name, table, wanted)
        else:
            sheet = _before_and_after(dataset, name, table, wanted, plugins)
    from PIL import Image

    with atomic_write(path) as file:
        sheet.save(file, Image.registered_extensions()[path.suffix.lower()])
    echo(f"{path}: {sheet.width}x{sheet.height} pixels")


def _split(dataset: CheckedDataset, wanted: str | None) -> tuple[str, SampleTable]:
    splits = dataset.splits
    if not splits or (wanted is not None and wanted not in splits):
        there = f"It has {', '.join(splits)}" if splits else "It has no images at all"
        raise DataError(f"{dataset.name} has no {wanted or 'split'}", there)
    name = wanted or next(iter(splits))
    return name, splits[name]


def _contact_sheet(
    dataset: CheckedDataset, name: str, table: SampleTable, wanted: Picture
) -> Image.Image:
    if not dataset.labelled:
        raise DataError(
            f"nothing is known of who is on the images of {dataset.name}",
            "Give --transforms, or a folder with train/, query/ and gallery/",
        )
    from reid_plugins_inspect.pictures.contact import contact_sheet

    counts = table.counts
    shown = f"{wanted.ids:,} of " if wanted.ids < counts.ids else ""
    people = shown + counted(counts.ids, "identity", "identities")
    samples = counted(counts.images, dataset.unit.removesuffix("s"))
    title = f"{dataset.name}, {name}: {people}, {samples}"
    return contact_sheet(
        table,
        title,
        wanted.ids,
        width=wanted.width or 72,
        height=wanted.height,
        seed=wanted.seed,
        reading=dataset.reading,
    )


def _before_and_after(
    dataset: CheckedDataset, name: str, table: SampleTable, wanted: Picture, plugins: Plugins
) -> Image.Image:
    import numpy as np

    from reid_plugins_inspect.pictures.augmented import before_and_after
    from reidcore.data import IMAGENET_MEAN, IMAGENET_STD, build_transforms

    height, width = wanted.size(192, 96)
    names = [word.strip() for word in (wanted.transforms or "").split(",") if word.strip()]
    train, _ = build_transforms(height, width, names, reading=dataset.reading, plugins=plugins)
    files = list(table.paths.files())
    chosen = np.random.default_rng(wanted.seed).permutation(len(files))[: min(wanted.ids, 5)]
    title = f"{', '.join(names)} on {dataset.name}, {name}"
    return before_and_after(
        [files[number] for number in sorted(chosen.tolist())],
        train.with_training_images(files),
        IMAGENET_MEAN,
        IMAGENET_STD,
        title,
        seed=wanted.seed,
        reading=dataset.reading,
    )
