"""``reidcore test``: test a trained model."""

from __future__ import annotations

from dataclasses import replace

from reidcore.cli.arguments import Arguments, configuration_command
from reidcore.cli.options import json_option
from reidcore.cli.run import resume_option
from reidcore.cli.session import Session

EPILOG = """\b
Examples:
  reidcore test log/quickstart/model.pth.tar-8
  reidcore test quickstart model.load_weights=log/quickstart/model.pth.tar-8
  reidcore test my.yaml -t dukemtmcreid --root reid-data test.visrank=true
"""


@configuration_command(EPILOG, resume_option, json_option)
def test(session: Session, arguments: Arguments) -> None:
    """Test a trained model: a run with test.evaluate=true.

    CONFIG is a checkpoint, which tells how its model is tested; or a configuration as for reidcore
    run, and model.load_weights names the checkpoint. KEY=VALUE sets any key of it. With --json the
    record of the results, which data.save_dir gets too, is all that standard output has.
    """
    from reidcore.cli.run_config import execute

    overrides = (*arguments.overrides, "test.evaluate=true")
    execute(session, replace(arguments, overrides=overrides))
