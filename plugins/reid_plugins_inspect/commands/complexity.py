"""``reidcore complexity``: what models cost."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from reidcore.cli import (
    Session,
    component_names,
    console,
    device_option,
    find_device,
    json_alone,
    json_option,
    number,
    table,
)
from reidcore.errors import UserError

if TYPE_CHECKING:
    import torch

    from reid_plugins_inspect.latency import Latency
    from reidcore.models import ModelSummary
    from reidcore.plugins import Plugins

EPILOG = """\b
Examples:
  reidcore complexity osnet_x1_0 resnet50
  reidcore complexity resnet50 --size 384x128 --batch 1,64 --device cuda
  reidcore complexity osnet_x0_25 --no-latency --json
"""

_SIZE = re.compile(r"^([1-9]\d*)[xX]([1-9]\d*)$")


@click.command(epilog=EPILOG)
@click.argument(
    "models", nargs=-1, required=True, shell_complete=component_names("models"), metavar="MODEL..."
)
@click.option("--size", metavar="HxW", help="Of the images; by default the model's, or 256x128.")
@click.option(
    "--batch",
    default="1,8,32",
    show_default=True,
    metavar="N,N,...",
    help="Batch sizes that are timed.",
)
@device_option
@click.option(
    "--seconds",
    type=click.FloatRange(min=0),
    default=5.0,
    show_default=True,
    help="Longest time to measure a batch size for.",
)
@click.option("--no-latency", is_flag=True, help="Count only, which takes no time.")
@json_option
@click.pass_obj
def complexity(
    session: Session,
    models: tuple[str, ...],
    size: str | None,
    batch: str,
    device: str | None,
    seconds: float,
    no_latency: bool,
    as_json: bool,
) -> None:
    """Show models' parameters, multiply-adds, feature size and latency.

    Parameters are those in use at test time. Multiply-adds are of convolutions and linear layers
    for one image; operations also count pooling, activations and normalisation. The latency is
    that of a batch on the device, without reading images.
    """
    image_size = None if size is None else read_size(size)
    batches = [] if no_latency else read_batches(batch)
    from reidcore.models import summarize

    with json_alone(as_json) as write, session.plugins() as plugins:
        summaries = [summarize(name, image_size, plugins) for name in dict.fromkeys(models)]
        where, times = None, {}
        if batches:
            where = find_device(device)
            times = {
                each.name: _timed(each, batches, where, seconds, plugins) for each in summaries
            }
        write([_as_record(each, times.get(each.name, []), where) for each in summaries])
    if not as_json:
        _print_table(summaries, times, where)


def read_size(text: str) -> tuple[int, int]:
    """Read a height and a width.

    Raises:
        UserError: if it is no size.
    """
    found = _SIZE.match(text)
    if found is None:
        raise UserError(f"--size {text} is no size", "Give height x width, such as 256x128.")
    return int(found[1]), int(found[2])


def read_batches(text: str) -> list[int]:
    """Read batch sizes, separated by commas.

    Raises:
        UserError: if one of them is no positive number.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise UserError(f"--batch {text}", "Give batch sizes of 1 or more, such as 1,8,32.")
    return [int(part) for part in parts]


def _timed(
    each: ModelSummary, batches: list[int], device: torch.device, seconds: float, plugins: Plugins
) -> list[Latency]:
    from reid_plugins_inspect.latency import measure_latency
    from reidcore.models import USUAL_CLASSES, build_model

    size = (each.height, each.width)
    model = build_model(
        each.name, USUAL_CLASSES, pretrained=False, plugins=plugins, image_size=size
    )
    return [measure_latency(model, size, batch, device, seconds=seconds) for batch in batches]


def _as_record(
    each: ModelSummary, times: list[Latency], device: torch.device | None
) -> dict[str, Any]:
    record = asdict(each)
    if times:
        record |= {"device": str(device), "latency": [asdict(latency) for latency in times]}
    return record


def _print_table(
    summaries: list[ModelSummary], times: dict[str, list[Latency]], device: torch.device | None
) -> None:
    headings = ("size", "parameters", "multiply-adds", "operations", "features")
    costs = table("model", *map(number, headings))
    for each in summaries:
        costs.add_row(
            each.name,
            f"{each.height}x{each.width}",
            f"{each.parameters / 1e6:.2f} M",
            f"{each.multiply_adds / 1e9:.3f} G",
            f"{each.operations / 1e9:.3f} G",
            str(each.feature_dim),
        )
    out = console()
    out.print(costs)
    if not times:
        return
    latencies = table(f"on {device}", *map(number, ("batch", "p50, ms", "p95, ms", "images/s")))
    for name, measured in times.items():
        for latency in measured:
            figures = (latency.p50, latency.p95, latency.images_per_second)
            latencies.add_row(name, str(latency.batch), *(f"{each:.1f}" for each in figures))
    out.print()
    out.print(latencies)
