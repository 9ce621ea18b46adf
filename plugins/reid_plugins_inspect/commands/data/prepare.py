"""``reidcore data prepare``: official archives to folders."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reidcore.cli import Session, component_names, echo, root_option
from reidcore.errors import DataError, UserError, counted

if TYPE_CHECKING:
    from reidcore.data import DatasetCard

EPILOG = """\b
Examples:
  reidcore data prepare market1501
  reidcore data prepare market1501 --root /data/reid
  reidcore data prepare dukemtmcreid --accept
"""


@click.command(epilog=EPILOG)
@click.argument("name", shell_complete=component_names("datasets"))
@root_option
@click.option("--accept", is_flag=True, help="Prepare it although its authors withdrew it.")
@click.pass_obj
def prepare(session: Session, name: str, root: str, accept: bool) -> None:
    """Unpack a dataset's official archives, which lie in the data root.

    Where the dataset's owners give an address, an archive that is missing is fetched; mostly they
    ask that it be fetched by hand. Nothing is unpacked or fetched but by this command, and nothing
    is overwritten.
    """
    from reid_plugins_inspect.archives import prepare_dataset
    from reidcore import registry
    from reidcore.data import card_of

    with session.plugins() as plugins:
        entry = registry.find("datasets", name, plugins)
        card = card_of(entry.load())
        if card is None:
            raise UserError(
                f"nothing is known of how {entry.label} is handed out",
                f"See: reidcore show dataset {name}",
            )
        _report_card(card)
        folder = Path(root).expanduser()
        for done in prepare_dataset(card, folder, accept):
            size = f", {counted(done.contents.size, 'byte')}" if done.contents else ""
            files = f" ({counted(done.contents.files, 'file')}{size})" if done.contents else ""
            echo(f"{done.archive.filename}: {done.state}{files}")
        _read(card, name, folder)


def _report_card(card: DatasetCard) -> None:
    echo(f"{card.title} ({card.paper})")
    echo(f"source:  {card.source}")
    echo(f"licence: {card.licence}")
    if card.withdrawn:
        echo(f"status:  withdrawn; {card.withdrawn}")


def _read(card: DatasetCard, name: str, folder: Path) -> None:
    """Say whether the dataset can be read now."""
    from reid_plugins_inspect.checks.load import open_dataset

    try:
        dataset = open_dataset(name, folder, {})
    except DataError as error:
        raise DataError(f"{card.title} cannot be read yet: {error.what}", error.hint) from error
    for split, table in dataset.splits.items():
        ids, images, cameras = table.counts
        seen = f"{counted(images, dataset.unit.removesuffix('s'))}, {counted(cameras, 'camera')}"
        echo(f"{split}: {counted(ids, 'id')}, {seen}")
    for difference in dataset.differences:
        echo(f"unlike the official release: {difference}", err=True)
