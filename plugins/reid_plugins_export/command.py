"""``reidcore export``: a model as a file that other programs run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reidcore.cli import Session, component_names, echo
from reidcore.errors import UserError, quoted

if TYPE_CHECKING:
    from reid_plugins_export.export import Exported

EPILOG = """\b
Examples:
  reidcore export log/quickstart/model-best.pth.tar --to onnx
  reidcore export model.pth.tar --to onnx --preprocess mean_std --normalise -o reid.onnx
"""

_FILE = click.Path()


@click.command(epilog=EPILOG)
@click.argument("checkpoint", type=_FILE)
@click.option("--to", "form", default="onnx", show_default=True, metavar="FORMAT")
@click.option("-o", "--output", type=_FILE, metavar="FILE", help="By default beside CHECKPOINT.")
@click.option(
    "--preprocess",
    type=click.Choice(["none", "mean_std", "full"]),
    default="none",
    show_default=True,
    help="What of the preprocessing is folded into the file.",
)
@click.option("--normalise", is_flag=True, help="Give features of unit length.")
@click.option("--size", metavar="HxW", help="Of the images; by default the checkpoint's.")
@click.option(
    "-m",
    "--model",
    default="",
    shell_complete=component_names("models"),
    help="If the checkpoint does not tell it.",
)
@click.pass_obj
def export(
    session: Session,
    checkpoint: str,
    form: str,
    output: str | None,
    preprocess: str,
    normalise: bool,
    size: str | None,
    model: str,
) -> None:
    """Export a model to a file that other programs run.

    The file takes any number of images, says of itself how they are prepared, and is written only
    if its features are those of PyTorch. A hash is written beside it.
    """
    with session.plugins() as plugins:
        from reid_plugins_export.export import Options, export_model
        from reid_plugins_export.formats import format_named

        ending = format_named(form, plugins).ending
        target = Path(output) if output else _beside(Path(checkpoint), ending)
        options = Options(form, preprocess, normalise, _size(size), model)
        _tell(export_model(checkpoint, target, options, plugins))


def _beside(checkpoint: Path, ending: str) -> Path:
    """Return ``model-best.onnx`` for ``model-best.pth.tar``, ``model-60.onnx`` for epoch 60's."""
    stem = re.sub(r"\.(pth|pt|safetensors)(\.tar)?(?=-\d+$|$)", "", checkpoint.name)
    return checkpoint.with_name(stem + ending)


def _size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    found = re.fullmatch(r"(\d+)[xX](\d+)", text)
    if not found or "0" in found.groups():
        raise UserError(f"--size {quoted(text)} is no size", "Give HEIGHTxWIDTH, such as 256x128.")
    return int(found[1]), int(found[2])


def _tell(exported: Exported) -> None:
    parity, record = exported.parity, exported.record
    height, width = (record["preprocessing"][side] for side in ("height", "width"))
    echo(
        f"{exported.path}: {record['model']['name']}, images {height}x{width}, "
        f"{record['feature_dim']} dimensions, {exported.path.stat().st_size / 1e6:.1f} MB"
    )
    batches = ", ".join(map(str, parity.batches))
    echo(
        f"features of {batches} images: within {parity.difference:.1g} of PyTorch's, "
        f"cosine {parity.cosine:.6f}"
    )
