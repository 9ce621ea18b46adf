"""Draw what a trained model retrieves, and where it looks.

A checkpoint of ours tells its model, the images' size and the datasets; options go before it.

Examples:
    reidcore visualize ranks --weights log/model.pth.tar-60
    reidcore visualize actmap -d market1501 -m osnet_x1_0 --weights model.pth.tar-60 --save-dir look
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from reidcore.cli import CheckpointOptions, Session, checkpoint_options, open_checkpoint
from reidcore.errors import UserError

RANKS_EPILOG = """\b
Examples:
  reidcore visualize ranks -d market1501 -m osnet_x1_0 --weights model.pth.tar-60 --save-dir look
  reidcore visualize ranks --weights log/model.pth.tar-60 --save-dir look --order worst --topk 5
"""
ACTMAP_EPILOG = """\b
Examples:
  reidcore visualize actmap -d market1501 -m osnet_x1_0 --weights model.pth.tar-60 --save-dir look
  reidcore visualize actmap -d synthetic -m osnet_x0_25 --weights m.pth --save-dir look --width 64
"""


@click.command(epilog=RANKS_EPILOG)
@checkpoint_options
@click.option("--topk", default=10, show_default=True, help="Gallery images beside a query.")
@click.option("--queries", default=20, show_default=True, help="How many queries are drawn.")
@click.option(
    "--order",
    type=click.Choice(["worst", "best", "random", "first"]),
    default="random",
    show_default=True,
    help="Which queries: by average precision, by lot, or the first.",
)
@click.pass_obj
def ranks(session: Session, /, topk: int, queries: int, order: str, **options: Any) -> None:
    """Draw queries beside the gallery images nearest to them."""
    drawn = [
        *("test.visrank=true", f"test.visrank_topk={topk}"),
        *(f"test.visrank_queries={queries}", f"test.visrank_order={order}"),
    ]
    with open_checkpoint(session, CheckpointOptions(**options), *drawn) as opened:
        opened.engine.execute(opened.plan)


@click.command(epilog=ACTMAP_EPILOG)
@checkpoint_options
@click.pass_obj
def actmap(session: Session, /, **options: Any) -> None:
    """Draw each query, the model's activation map, and their overlay."""
    chosen = CheckpointOptions(**options)
    with open_checkpoint(session, chosen) as opened:
        from reid_plugins_inspect.pictures import draw_activation_maps

        config, engine = opened.config, opened.engine
        if not config.data.targets:
            raise UserError("there is no target to draw", "Name a dataset: -t NAME")
        for name in config.data.targets:
            draw_activation_maps(
                engine.model,
                engine.test_loader[name]["query"],
                Path(chosen.save_dir) / f"actmap_{name}",
                config.data.norm_mean,
                config.data.norm_std,
                engine.device,
            )
