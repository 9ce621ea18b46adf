"""``reidcore run``: train and test as a configuration says."""

from __future__ import annotations

from reidcore.cli.options import configuration_command
from reidcore.cli.session import Session

EPILOG = """\b
Torchreid's flags work too: --config-file FILE, -s/--sources A B, -t/--targets A B,
--transforms A B, --root DIR, and overrides as 'key value' pairs.
\b
Examples:
  reidcore run quickstart train.max_epoch=4
  reidcore run quickstart --print-config
  reidcore run quickstart train.max_epoch=12 --resume auto
  reidcore run --config-file my.yaml -s market1501 -t market1501 --root reid-data
"""


@configuration_command(EPILOG)
def run(session: Session, extra: tuple[str, ...], words: tuple[str, ...]) -> None:
    """Train and test as a configuration says.

    CONFIG is a YAML file or the name of a recipe (see: reidcore ls configs). Without it the
    defaults apply. The results go to data.save_dir. --print-config prints every value and its
    origin instead of running, as YAML that can be run, or as JSON with --json.

    --resume FILE goes on from a checkpoint, --resume FOLDER from the newest in a folder, and
    --resume auto from the newest in data.save_dir, or starts anew if there is none. What is written
    for this run acts, the rest comes from the checkpoint, and each difference is told.
    """
    from reidcore.cli.run_config import execute

    execute(session, list(words), extra)
