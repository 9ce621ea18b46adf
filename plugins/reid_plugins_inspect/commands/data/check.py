"""``reidcore data check``: what is wrong with a dataset."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from reid_plugins_inspect.commands.data.inputs import DatasetOptions, dataset_options
from reid_plugins_inspect.commands.data.splits import splits_table
from reidcore.cli import Session, console, json_alone, json_option, progress
from reidcore.errors import counted, printable

if TYPE_CHECKING:
    from rich.console import Console

    from reid_plugins_inspect.checks import Finding, Report

EPILOG = """\b
Examples:
  reidcore data check market1501
  reidcore data check cuhk03 labeled_images=true --json
  reidcore data check --folder shop --workers 8
  reidcore data check --csv shop/images.csv camid=camera
  reidcore data check shop_a --config shops.yaml
"""

_COLOURS = {"error": "bold red", "warning": "yellow", "note": "cyan"}


@click.command(epilog=EPILOG)
@dataset_options
@click.option("--workers", type=click.IntRange(0), help="Processes that read; one a CPU if unset.")
@click.option("--pids-apart", is_flag=True, help="A number in train and test is two identities.")
@json_option
@click.pass_context
def check(
    context: click.Context,
    /,
    chosen: DatasetOptions,
    workers: int | None,
    pids_apart: bool,
    as_json: bool,
) -> None:
    """Read every image of a dataset and say what is wrong with it.

    Looks for unreadable, empty and duplicate images, identities in train and test at once, queries
    that cannot be found, and numbers that differ from the official ones. Ends with exit code 1 if
    there is an error; warnings and notes do not count.
    """
    session: Session = context.obj
    with json_alone(as_json) as write, session.plugins() as plugins:
        dataset = chosen.open(plugins)
        from reid_plugins_inspect.checks import check_dataset

        dataset = replace(dataset, pids_apart=pids_apart or dataset.pids_apart)
        with progress("checking", len(dataset.files.paths)) as advance:
            report = check_dataset(dataset, workers, advance, plugins)
        write(report.as_dict())
    if not as_json:
        _print(report)
    context.exit(1 if report.count("error") else 0)


def _print(report: Report) -> None:
    from rich.text import Text

    out = console()
    out.print(Text(printable(f"{report.name}: {counted(report.files, 'file')}"), style="bold"))
    out.print(splits_table(report.unit, report.splits, report.histograms))
    for finding in report.findings:
        _print_finding(out, finding)
    if report.sizes:
        width, height = report.sizes["width"], report.sizes["height"]
        out.print(
            f"sizes    {width['min']:g}x{height['min']:g} to {width['max']:g}x{height['max']:g}, "
            f"median {width['median']:g}x{height['median']:g} "
            f"({report.sizes['distinct']:,} different)"
        )
    counts = {name: report.count(name) for name in ("error", "warning", "note")}
    summary = ", ".join(counted(number, name) for name, number in counts.items())
    out.print(Text(summary, style="bold"))


def _print_finding(out: Console, finding: Finding) -> None:
    from rich.text import Text

    head = Text(f"{finding.severity:8} ", style=_COLOURS[finding.severity])
    head.append(printable(finding.message), style="default")
    out.print(head, soft_wrap=True)
    below = [*finding.examples, *([finding.advice] if finding.advice else [])]
    more = finding.count - len(finding.examples)
    if finding.examples and more > 0:
        below.insert(len(finding.examples), f"... and {more:,} more")
    for line in below:
        text = Text(
            " " * 9 + printable(line, one_line=True), style="" if line == finding.advice else "dim"
        )
        out.print(text, soft_wrap=True)
