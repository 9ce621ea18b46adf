"""``reidcore data stats``: how much there is of everything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from reid_plugins_inspect.commands.data.inputs import DatasetOptions, dataset_options
from reid_plugins_inspect.commands.data.splits import splits_table
from reidcore.cli import Session, console, json_alone, json_option, progress
from reidcore.errors import DataError, counted

if TYPE_CHECKING:
    from reid_plugins_inspect.checks import CheckedDataset

EPILOG = """\b
Examples:
  reidcore data stats market1501
  reidcore data stats market1501 --mean-std
  reidcore data stats --csv shop/images.csv --json
"""


@click.command(epilog=EPILOG)
@dataset_options
@click.option("--mean-std", is_flag=True, help="Read the training images: channel statistics.")
@click.option("--workers", type=click.IntRange(0), help="Processes that read; one a CPU if unset.")
@json_option
@click.pass_obj
def stats(
    session: Session, /, chosen: DatasetOptions, mean_std: bool, workers: int | None, as_json: bool
) -> None:
    """Show the identities, images and cameras of each split.

    With --mean-std, the mean and standard deviation of the colour channels of the training images
    as well, as the options data.norm_mean and data.norm_std take them.
    """
    with json_alone(as_json) as write, session.plugins() as plugins:
        dataset = chosen.open(plugins)
        found = {"dataset": dataset.name, "unit": dataset.unit, "splits": _splits(dataset)}
        if mean_std:
            found |= _channels(dataset, workers)
        write(found)
    if not as_json:
        _print(found)


def _splits(dataset: CheckedDataset) -> dict[str, dict[str, Any]]:
    from reid_plugins_inspect.checks.identities import histogram

    return {
        name: {
            **dataset.counts[name],
            **({"files": table.paths.num_files} if table.paths.has_tracklets else {}),
            "per_identity": histogram(table) if dataset.labelled else {},
        }
        for name, table in dataset.splits.items()
    }


def _channels(dataset: CheckedDataset, workers: int | None) -> dict[str, Any]:
    from reid_plugins_inspect.checks import channel_statistics

    paths = list(dataset.train.paths.files())
    if not paths:
        raise DataError(f"{dataset.name} has no training images", "Leave --mean-std out")
    with progress("reading", len(paths)) as advance:
        read = channel_statistics(paths, workers, advance, dataset.reading)
    return {
        "norm_mean": [round(value, 6) for value in read.mean],
        "norm_std": [round(value, 6) for value in read.std],
        "images_read": read.images,
        "images_skipped": read.skipped,
    }


def _print(found: dict[str, Any]) -> None:
    splits = found["splits"]
    histograms = {name: row["per_identity"] for name, row in splits.items()}
    out = console()
    out.print(splits_table(found["unit"], splits, histograms, title=found["dataset"]))
    if "norm_mean" in found:
        out.print(f"data.norm_mean={_listed(found['norm_mean'])}", markup=False)
        out.print(f"data.norm_std={_listed(found['norm_std'])}", markup=False)
        skipped = found["images_skipped"]
        more = f", {skipped:,} unreadable" if skipped else ""
        out.print(f"of {counted(found['images_read'], 'training image')}{more}")


def _listed(values: list[float]) -> str:
    return "[" + ",".join(f"{value:.4f}" for value in values) + "]"
