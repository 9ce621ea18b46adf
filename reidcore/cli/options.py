"""Options that several commands share, of the core and of plugins."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, redirect_stdout
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from reidcore.cli.arguments import Arguments
from reidcore.cli.checkpoint_config import is_checkpoint
from reidcore.cli.device import device_option
from reidcore.cli.names import component_names
from reidcore.errors import UserError, printable

Command = TypeVar("Command", bound=Callable[..., Any])

_FOLDER: dict[str, Any] = {"type": click.Path(file_okay=False), "metavar": "DIR"}

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
"""``--json``, the parameter ``as_json``; see `json_alone`."""

root_option = click.option(
    "--root", default="reid-data", show_default=True, help="Folder of datasets.", **_FOLDER
)
"""``--root``: the folder of datasets."""


@contextmanager
def json_alone(as_json: bool) -> Iterator[Callable[[Any], None]]:
    """Yield a function that prints a value as JSON, and keep all else off standard output.

    What the program says meanwhile, its plugins included, goes to standard error. A text is printed
    as it is.

    Args:
        as_json: whether JSON was asked for; if not, the function does nothing and nothing changes.
    """
    stdout = sys.stdout

    def write(value: Any) -> None:
        text = value if isinstance(value, str) else json.dumps(value, indent=2, default=repr)
        click.echo(printable(text), stdout)

    with redirect_stdout(sys.stderr) if as_json else nullcontext():
        yield write if as_json else lambda value: None


def reading_options(command: Command) -> Command:
    """Add ``--reading`` and ``--value-range``, as ``data.reading`` and ``data.value_range``."""
    ends = click.option(
        "--value-range",
        type=float,
        nargs=2,
        metavar="LOW HIGH",
        help="What becomes black and white of more than 8 bits.",
    )
    preset = click.option(
        "--reading",
        type=click.Choice(["viewer", "torchreid"]),
        help="What images look like, as data.reading.",
    )
    return preset(ends(command))


@dataclass(frozen=True)
class CheckpointOptions:
    """A trained model and the dataset that it is tried on, as `checkpoint_options` take them.

    Attributes:
        root: folder of datasets.
        dataset: name of the dataset; None if the checkpoint tells it.
        model: name of the model; None if the checkpoint tells it.
        weights: path of the checkpoint, or of weights.
        save_dir: folder to write to.
        height: of the images, pixels.
        width: of the images, pixels.
        device: where the model runs; None for a GPU if there is one.
    """

    root: str | None
    dataset: str | None
    model: str | None
    weights: str
    save_dir: str
    height: int | None
    width: int | None
    device: str | None = None

    def arguments(self, *overrides: str) -> Arguments:
        """Return what the command line of a test of it would say, with further overrides.

        Raises:
            UserError: if neither the options nor the checkpoint say what is looked at.
        """
        tells = self.model is None
        if tells and not is_checkpoint(self.weights):
            raise UserError(f"no checkpoint at {self.weights!r}", "Check the path, or give -m.")
        if self.dataset is None and not tells:
            raise UserError("no dataset is named", "Give -d, or leave out -m as well.")
        named = [self.dataset] if self.dataset else []
        values = {
            "model.name": self.model,
            "model.pretrained": "false",
            "model.load_weights": self.weights,
            "data.save_dir": self.save_dir,
            "data.height": self.height,
            "data.width": self.width,
            "test.evaluate": "true",
        }
        given = [f"{key}={value}" for key, value in values.items() if value is not None]
        return Arguments.read(
            [*([self.weights] if tells else []), *given, *overrides],
            sources=named,
            targets=named,
            root=self.root,
            device=self.device,
        )


def checkpoint_options(command: Command) -> Command:
    """Add the options of a trained model and its dataset; see `CheckpointOptions`."""
    datasets, models = (
        {"shell_complete": component_names(kind), "metavar": "NAME"}
        for kind in ("datasets", "models")
    )
    weights = {"type": click.Path(), "required": True, "metavar": "FILE"}
    log = {**_FOLDER, "default": "log", "show_default": True}
    options: list[tuple[tuple[str, ...], str, dict[str, Any]]] = [
        (("--root",), "Folder of datasets.", _FOLDER),
        (("-d", "--dataset"), "Dataset to test on.", datasets),
        (("-m", "--model"), "If the weights do not tell it.", models),
        (("-w", "--weights"), "Checkpoint or weights of the model.", weights),
        (("--save-dir",), "Folder to write to.", log),
        (("--height",), "Of the images, in pixels.", {"type": int}),
        (("--width",), "Of the images, in pixels.", {"type": int}),
    ]
    command = device_option(command)
    for names, text, details in reversed(options):
        command = click.option(*names, help=text, **details)(command)
    return command
