"""``reidcore data make-synthetic``: procedural people."""

from __future__ import annotations

from pathlib import Path

import click

EPILOG = """\b
Examples:
  reidcore data make-synthetic people
  reidcore data make-synthetic people --seed 7 --train-ids 40 --test-ids 20
"""


@click.command("make-synthetic", epilog=EPILOG)
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--seed", default=0, show_default=True, help="Other people, other pictures.")
@click.option("--train-ids", type=int, help="Identities to train on.")
@click.option("--test-ids", type=int, help="Identities to test on.")
def make_synthetic(directory: Path, seed: int, train_ids: int | None, test_ids: int | None) -> None:
    """Draw procedural people into DIRECTORY, in the layout of Market1501."""
    from reid_plugins_synthetic import make

    counts = {"train_ids": train_ids, "test_ids": test_ids}
    given = {name: count for name, count in counts.items() if count is not None}
    summary = make.make_synthetic(directory, seed=seed, **given)
    state = "written" if summary.created else "there already"
    click.echo(
        f"{summary.directory}: {summary.train} training, {summary.query} query and "
        f"{summary.gallery} gallery pictures ({state})"
    )
