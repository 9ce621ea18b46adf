"""Options that several commands share, of the core and of plugins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from reidcore.cli.checkpoint_config import is_checkpoint
from reidcore.errors import UserError

Command = TypeVar("Command", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
"""``--json``, the parameter ``as_json``."""

device_option = click.option(
    "--device", help="cpu, cuda or cuda:1; by default a GPU if there is one."
)
"""``--device``: where a model runs."""

root_option = click.option(
    "--root", default="reid-data", show_default=True, help="Folder of datasets."
)
"""``--root``: the folder of datasets."""

plugin_option = click.option(
    "-p", "--plugin", "extra", multiple=True, metavar="FILE", help="Add a plugin file."
)


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


def configuration_command(epilog: str) -> Callable[[Callable[..., Any]], click.Command]:
    """Make a command of a function ``(session, extra, words)``; click leaves its words alone."""

    def decorate(function: Callable[..., Any]) -> click.Command:
        command = click.pass_obj(function)
        command = click.argument(
            "words", nargs=-1, type=click.UNPROCESSED, metavar="[CONFIG] [KEY=VALUE]..."
        )(command)
        settings = {"ignore_unknown_options": True, "allow_interspersed_args": True}
        return click.command(epilog=epilog, context_settings=settings, options_metavar="[OPTIONS]")(
            plugin_option(command)
        )

    return decorate


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
    """

    root: str | None
    dataset: str | None
    model: str | None
    weights: str
    save_dir: str
    height: int | None
    width: int | None

    def words(self, *overrides: str) -> list[str]:
        """Return the command line of a test of it.

        Raises:
            UserError: if neither the options nor the checkpoint say what is looked at.
        """
        tells = self.model is None
        if tells and not is_checkpoint(self.weights):
            raise UserError(f"no checkpoint at {self.weights!r}", "Check the path, or give -m.")
        if self.dataset is None and not tells:
            raise UserError("no dataset is named", "Give -d, or leave out -m as well.")
        flags = ["-s", self.dataset, "-t", self.dataset] if self.dataset else []
        values = {
            "data.root": self.root,
            "model.name": self.model,
            "model.pretrained": "false",
            "model.load_weights": self.weights,
            "data.save_dir": self.save_dir,
            "data.height": self.height,
            "data.width": self.width,
            "test.evaluate": "true",
        }
        given = [f"{key}={value}" for key, value in values.items() if value is not None]
        return [*([self.weights] if tells else []), *flags, *given, *overrides]


def checkpoint_options(command: Command) -> Command:
    """Add the options of a trained model and its dataset; see `CheckpointOptions`."""
    options = [
        click.option("--root", help="Folder of datasets."),
        click.option("-d", "--dataset", help="Dataset to test on."),
        click.option("-m", "--model", help="Name of the model, if its weights do not tell it."),
        click.option("--weights", required=True, help="Checkpoint or weights of the model."),
        click.option("--save-dir", default="log", show_default=True, help="Folder to write to."),
        click.option("--height", type=int, help="Of the images, in pixels."),
        click.option("--width", type=int, help="Of the images, in pixels."),
    ]
    for option in reversed(options):
        command = option(command)
    return command
