"""``--device``: where a model runs, spelled and looked for alike by every command."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from reidcore.errors import UserError, did_you_mean

if TYPE_CHECKING:
    import torch

_SPELLING = re.compile(r"cpu|mps|cuda(:(0|[1-9]\d*))?")
_USUAL = ("cpu", "cuda", "cuda:1", "mps")


def _checked(ctx: click.Context, param: click.Parameter, name: str | None) -> str | None:
    """Return a name that is spelled as a device's; if there is such a one, `find_device` knows."""
    if name is None or _SPELLING.fullmatch(name):
        return name
    near = did_you_mean(name, _USUAL)
    raise UserError(
        f"no device is named {name!r}", near or "Use cpu, cuda, cuda:1 for the second GPU, or mps."
    )


device_option = click.option(
    "--device",
    metavar="DEVICE",
    callback=_checked,
    shell_complete=lambda ctx, param, word: [name for name in _USUAL if name.startswith(word)],
    help="cpu, cuda, cuda:1 or mps; by default a GPU if there is one.",
)
"""``--device``: where a model runs; `find_device` returns it."""


def find_device(name: str | None = None) -> torch.device:
    """Return the device of that name, or the best one there is: a GPU, or else the CPU.

    Raises:
        UserError: if this machine has no such device; names those that it has.
    """
    import torch

    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    named = {f"cuda:{number}": torch.device("cuda", number) for number in range(gpus)}
    named |= {"mps": torch.device("mps")} if torch.backends.mps.is_available() else {}
    named["cpu"] = torch.device("cpu")
    found = named.get(name or next(iter(named)), named.get("cuda:0") if name == "cuda" else None)
    if found is None:
        is_unable = str(name).startswith("cuda") and torch.version.cuda is None
        reason = f": torch {torch.__version__} is built without CUDA" if is_unable else ""
        raise UserError(
            f"there is no device {name!r} on this machine{reason}", f"Use {' or '.join(named)}."
        )
    return found
