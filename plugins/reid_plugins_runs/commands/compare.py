"""``reidcore runs compare``: runs side by side, with mean and deviation over seeds and splits."""

from __future__ import annotations

import logging

import click

from reid_plugins_runs.commands.arguments import folders_argument, open_runs, plot_option, save_plot
from reid_plugins_runs.comparison import Comparison
from reid_plugins_runs.figure_names import FIGURES
from reid_plugins_runs.sheet import Form, form_options, show
from reidcore.cli import echo

_log = logging.getLogger(f"reidcore.{__name__}")

EPILOG = """\b
Examples:
  reidcore runs compare log/a log/b
  reidcore runs compare log --latex --figure mAP --figure rank1
  reidcore runs compare log --plot curves.png
"""


@click.command(epilog=EPILOG)
@folders_argument
@form_options
@plot_option
@click.option("--each", "is_each_alone", is_flag=True, help="A row for each run: average nothing.")
@click.option(
    "--figure",
    "figures",
    multiple=True,
    metavar="NAME",
    default=FIGURES,
    show_default=True,
    help="A column: mAP, mINP, rank1, ...",
)
def compare(
    folders: tuple[str, ...],
    form: Form,
    plot: str | None,
    is_each_alone: bool,
    figures: tuple[str, ...],
) -> None:
    """Compare runs by the keys in which their configurations differ.

    Runs that differ in train.seed or data.split_id alone are one row: their number n, and mean ±
    deviation of the sample. Those that are not finished are told, and have no part in it. Keys that
    change no result, such as data.root and data.workers, do not tell runs apart.

    Of two rows that were tested on the same queries it says which is better, with a 95 % interval
    of the difference.
    """
    show_comparison(Comparison(open_runs(folders).runs, is_each_alone), form, figures, plot)


def show_comparison(
    compared: Comparison,
    form: Form = "terminal",
    figures: tuple[str, ...] = FIGURES,
    plot: str | None = None,
) -> None:
    """Print a comparison, with what to bear in mind, and draw its curves if a path is given."""
    compared.require_figures(figures)
    save_plot(plot, compared.groups, "Runs over their epochs")
    show(form, compared.sheets(figures), compared.as_json())
    for sentence in compared.sentences(figures) if form != "json" else ():
        echo(f"\n{'% ' if form == 'latex' else ''}{sentence}")
    for remark in compared.remarks:
        _log.warning("%s", remark)
