"""``reidcore extract``: features of image files."""

from __future__ import annotations

from typing import Any

import click

from reidcore.cli.context import Session

EPILOG = """\b
Examples:
  reidcore extract photos -w log/quickstart/model.pth.tar-8 -o features.npz
  reidcore extract 'a/**/*.jpg' b.png -w weights.pth -m osnet_x1_0 -o features.npz
"""


@click.command(epilog=EPILOG)
@click.argument("sources", nargs=-1, required=True)
@click.option("-w", "--weights", required=True, help="Checkpoint or weights of the model.")
@click.option("-o", "--output", required=True, help="File to write, ending in .npz.")
@click.option("-m", "--model", default="", help="The model, unless the checkpoint tells it.")
@click.option("--batch-size", type=int, help="Images at a time.")
@click.option("--device", help="cpu, cuda or cuda:1; by default a GPU if there is one.")
@click.option("--height", type=int, help="Of the images, in pixels; with --width.")
@click.option("--width", type=int, help="By default the checkpoint's, or 256 by 128.")
@click.pass_obj
def extract(session: Session, /, **options: Any) -> None:
    """Extract the features of images with a trained model.

    SOURCES are image files, folders (everything below them) and patterns. OUTPUT holds "features",
    (N, D) float32, and "paths", (N,), in the same order. Images that cannot be read are told and
    left out.
    """
    from reidcore.cli.extracting import Extraction, write_features

    with session.plugins() as plugins:
        write_features(Extraction(**options), plugins)
