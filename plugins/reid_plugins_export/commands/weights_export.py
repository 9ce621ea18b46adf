"""``reidcore weights export``: the weights of a checkpoint, for others."""

from __future__ import annotations

from pathlib import Path

import click

from reidcore.cli import echo
from reidcore.errors import counted

EPILOG = """\b
Examples:
  reidcore weights export log/model.pth.tar-60 osnet_market.safetensors
  reidcore extract photos --weights osnet_market.safetensors --output features.npz
"""


@click.command(epilog=EPILOG)
@click.argument("checkpoint", type=click.Path())
@click.argument("output", type=click.Path(), metavar="OUTPUT.safetensors")
def export(checkpoint: str, output: str) -> None:
    """Write the weights of a checkpoint as safetensors.

    The file says what the checkpoint says about its model, so that it is all that testing,
    extraction and drawing need; what training would go on with is left out.
    """
    from reidcore.models import export_weights
    from reidcore.utils import check_writable

    check_writable(Path(output).parent, "another OUTPUT")
    count = export_weights(checkpoint, output)
    echo(f"{output}: {counted(count, 'tensor')}, {Path(output).stat().st_size / 1e6:.1f} MB")
