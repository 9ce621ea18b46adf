"""``reidcore visualize``: pictures of what a trained model does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from reidcore.cli.checkpoint_config import is_checkpoint
from reidcore.cli.context import Session
from reidcore.cli.run_config import configured, execute, prepare
from reidcore.cli.torchreid_flags import parse
from reidcore.errors import UserError

EPILOG = """\b
Examples:
  reidcore visualize ranks --weights log/model.pth.tar-60
  reidcore visualize actmap -d market1501 -m osnet_x1_0 --weights model.pth.tar-60 --save-dir look
"""
RANKS_EPILOG = """\b
Examples:
  reidcore visualize ranks -d market1501 -m osnet_x1_0 --weights model.pth.tar-60 --save-dir look
  reidcore visualize ranks -d synthetic -m osnet_x0_25 --weights m.pth --save-dir look --topk 5
"""
ACTMAP_EPILOG = """\b
Examples:
  reidcore visualize actmap -d market1501 -m osnet_x1_0 --weights model.pth.tar-60 --save-dir look
  reidcore visualize actmap -d synthetic -m osnet_x0_25 --weights m.pth --save-dir look --width 64
"""


@dataclass(frozen=True)
class Subject:
    """What is looked at, as the options give it."""

    root: str | None
    dataset: str | None
    model: str | None
    weights: str
    save_dir: str
    height: int | None
    width: int | None

    def words(self, *more: str) -> list[str]:
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
        return [*([self.weights] if tells else []), *flags, *given, *more]


def subject_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say what is looked at."""
    options = [
        click.option("--root", help="Folder of datasets."),
        click.option("-d", "--dataset", help="Dataset whose queries are drawn."),
        click.option("-m", "--model", help="Name of the model, if its weights do not tell it."),
        click.option("--weights", required=True, help="Checkpoint or weights of the model."),
        click.option("--save-dir", default="log", show_default=True, help="Folder to write to."),
        click.option("--height", type=int, help="Of the images, in pixels."),
        click.option("--width", type=int, help="Of the images, in pixels."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.group(epilog=EPILOG)
def visualize() -> None:
    """Draw what a trained model retrieves, and where it looks.

    A checkpoint of ours tells its model, the images' size and the datasets; options go before it.
    """


@visualize.command(epilog=RANKS_EPILOG)
@subject_options
@click.option("--topk", default=10, show_default=True, help="Gallery images beside a query.")
@click.pass_obj
def ranks(session: Session, /, topk: int, **options: Any) -> None:
    """Draw each query beside the gallery images nearest to it."""
    words = Subject(**options).words("test.visrank=true", f"test.visrank_topk={topk}")
    execute(session, words, ())


@visualize.command(epilog=ACTMAP_EPILOG)
@subject_options
@click.pass_obj
def actmap(session: Session, /, **options: Any) -> None:
    """Draw each query, the model's activation map, and their overlay."""
    subject = Subject(**options)
    with configured(session, parse(subject.words())) as (config, plugins):
        engine, _ = prepare(config, plugins)
        from reid_plugins_inspect.pictures import draw_activation_maps

        for name in config.data.targets:
            draw_activation_maps(
                engine.model,
                engine.test_loader[name]["query"],
                Path(subject.save_dir) / f"actmap_{name}",
                config.data.norm_mean,
                config.data.norm_std,
                engine.device,
            )
