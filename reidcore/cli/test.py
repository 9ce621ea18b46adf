"""``reidcore test``: test a trained model."""

from __future__ import annotations

from reidcore.cli.options import configuration_command
from reidcore.cli.session import Session

EPILOG = """\b
Examples:
  reidcore test log/quickstart/model.pth.tar-8
  reidcore test quickstart model.load_weights=log/quickstart/model.pth.tar-8
  reidcore test my.yaml -t dukemtmcreid --root reid-data test.visrank=true
"""


@configuration_command(EPILOG)
def test(session: Session, extra: tuple[str, ...], words: tuple[str, ...]) -> None:
    """Test a trained model: a run with test.evaluate=true.

    CONFIG is a checkpoint, which tells how its model is tested; or a configuration as for reidcore
    run, and model.load_weights names the checkpoint. Overrides are those of reidcore run.
    """
    from reidcore.cli.run_config import execute

    execute(session, [*words, "test.evaluate=true"], extra)
