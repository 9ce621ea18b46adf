"""``reidcore report``: the page about a run."""

from __future__ import annotations

from pathlib import Path

import click

from reidcore.cli import Session, echo

EPILOG = """\b
Examples:
  reidcore report log/quickstart
  reidcore report log/quickstart -o report.html --map pca
"""


@click.command(epilog=EPILOG)
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.html",
    help="Where to write it; report.html in DIR by default.",
)
@click.option(
    "--map",
    "projection",
    type=click.Choice(["auto", "tsne", "umap", "pca"]),
    default="auto",
    show_default=True,
    help="How the map of the embeddings is drawn: t-SNE where scikit-learn is installed, else PCA.",
)
@click.pass_obj
def report(session: Session, folder: Path, output: Path | None, projection: str) -> None:
    """Write a page about a run: figures, curves, pictures, provenance.

    DIR is the folder of a run that has ended. The page is one file, which opens from disk and asks
    nothing of a network; it needs no model and no GPU.
    """
    from reid_plugins_report.build import build_page, write_page
    from reid_plugins_report.report import read_report

    path = output or folder / "report.html"
    with session.plugins():
        page = build_page(read_report(folder, projection))
    write_page(page, path)
    echo(f"Report written to {path} ({len(page.encode()) / 2**20:.1f} MiB): open it in a browser")
