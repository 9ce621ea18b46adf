"""``reidcore data``: making, getting and examining datasets; a file a command."""

from __future__ import annotations

import click
from reid_plugins_synthetic.make_synthetic import make_synthetic

from reid_plugins_inspect.commands.data.check import check
from reid_plugins_inspect.commands.data.prepare import prepare
from reid_plugins_inspect.commands.data.show import show
from reid_plugins_inspect.commands.data.stats import stats

EPILOG = """\b
Examples:
  reidcore data make-synthetic reid-data/synthetic
  reidcore data prepare market1501
  reidcore data check market1501
  reidcore data stats market1501 --mean-std
  reidcore data show market1501 -o market1501.png
"""


@click.group(epilog=EPILOG)
def data() -> None:
    """Make, prepare and inspect datasets."""


for command in (make_synthetic, prepare, check, stats, show):
    data.add_command(command)
