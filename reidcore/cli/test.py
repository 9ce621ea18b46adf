"""``reidcore test``: test a trained model."""

from __future__ import annotations

import click

from reidcore.cli.context import Session

EPILOG = """\b
Examples:
  reidcore test quickstart model.load_weights=log/quickstart/model.pth.tar-8
  reidcore test my.yaml -t dukemtmcreid --root reid-data test.visrank=true
"""


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": True},
    epilog=EPILOG,
    options_metavar="[OPTIONS]",
)
@click.option("-p", "--plugin", "extra", multiple=True, metavar="FILE", help="Add a plugin file.")
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[CONFIG] [KEY=VALUE]...")
@click.pass_obj
def test(session: Session, extra: tuple[str, ...], words: tuple[str, ...]) -> None:
    """Test a trained model: a run with test.evaluate=true.

    CONFIG and the overrides are those of reidcore run; model.load_weights names the checkpoint.
    """
    from reidcore.cli.execute import execute

    execute(session, [*words, "test.evaluate=true"], extra)
