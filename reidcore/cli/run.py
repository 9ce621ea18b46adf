"""``reidcore run``: train and test as a configuration says."""

from __future__ import annotations

import click

from reidcore.cli.arguments import Arguments, configuration_command
from reidcore.cli.options import json_option
from reidcore.cli.session import Session

EPILOG = """\b
Examples:
  reidcore run quickstart train.max_epoch=4
  reidcore run quickstart --print-config
  reidcore run quickstart train.max_epoch=12 --resume auto
  reidcore run quickstart --sweep train.seed=1,2,3
  reidcore run --config-file my.yaml -s market1501 -t market1501 --root reid-data
"""

resume_option = click.option(
    "--resume",
    metavar="FILE|FOLDER|auto",
    help="Go on from a checkpoint, the newest in a folder, or the newest in data.save_dir.",
)

overwrite_option = click.option(
    "--overwrite",
    "overwrites",
    is_flag=True,
    help="Train in the place of an earlier run in data.save_dir, whose files are removed.",
)

sweep_option = click.option(
    "--sweep",
    "sweeps",
    multiple=True,
    metavar="KEY=VALUE,...",
    help="A run for each value, in a folder below data.save_dir; several make all combinations.",
)


@configuration_command(EPILOG, resume_option, overwrite_option, sweep_option, json_option)
def run(session: Session, arguments: Arguments) -> None:
    """Train and test as a configuration says.

    CONFIG is a YAML file or the name of a recipe (see: reidcore ls configs). Without it the
    defaults apply. KEY=VALUE sets any key of it; Torchreid's KEY VALUE works too. The results go to
    data.save_dir. --print-config prints every value and its origin instead of running, as YAML that
    can be run, or as JSON with --json; of a run --json prints the record of the results.

    With --resume, what is written for this run acts, the rest comes from the checkpoint, and each
    difference is told; auto starts anew where there is no checkpoint. A folder that holds another
    run is refused without --resume or --overwrite.

    With --sweep the runs follow one another, one that fails costs no other, and a table with mean
    and deviation over seeds and splits ends them. Values are separated by commas; a list in
    brackets is one value. --resume auto skips those that are finished.
    """
    if arguments.sweeps:
        from reidcore.cli.run_config import processes_joined
        from reidcore.plugins.bundled import run_sweep

        with processes_joined():  # several are refused, which rank 0 tells
            run_sweep(session, arguments)
        return
    from reidcore.cli.run_config import execute

    execute(session, arguments)
