"""The folder that a run writes to, looked at before data and model are built."""

from __future__ import annotations

import logging
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from reidcore._files import check_writable
from reidcore._run_folder import checkpoints_in, described, sole_writer, unused
from reidcore.cli.group import command_line
from reidcore.errors import UserError

if TYPE_CHECKING:
    from reidcore.cli.arguments import Arguments
    from reidcore.config import Config

_log = logging.getLogger(__name__)

SAVE_DIR = "data.save_dir=FOLDER"


def checked_folder(config: Config, arguments: Arguments) -> str:
    """Return the folder that a run writes to; some tests write to ``log`` instead of their own.

    Raises:
        UserError: if it cannot be written, or holds another run; with what would do.
    """
    _check_writable(config, arguments)
    _check_earlier_run(config, arguments)
    return config.data.save_dir


def _check_earlier_run(config: Config, arguments: Arguments) -> None:
    is_test = config.test.evaluate or not config.train.max_epoch
    is_anew = not (is_test or config.model.resume or config.train.start_epoch)
    if arguments.overwrites and not is_anew:
        raise UserError(
            "--overwrite is for a training that starts anew, and this one goes on or tests",
            "Leave it out, or what it goes on from.",
        )
    if is_test:
        return
    with sole_writer(config.data.save_dir):
        held = checkpoints_in(config.data.save_dir) if is_anew else []
    if not held or arguments.resume is not None:  # no complete one, for --resume auto
        return
    if not arguments.overwrites:
        raise UserError(
            f"{config.data.save_dir!r} holds another run ({described(held)})", _ways(config)
        )
    weights = config.model.load_weights
    if Path(weights).expanduser().resolve() in [path.resolve() for path in held]:
        what = f"--overwrite would remove {weights!r}, which this run begins with"
        raise UserError(what, f"Give the run a folder of its own: {SAVE_DIR}")


def _check_writable(config: Config, arguments: Arguments) -> None:
    folder = config.data.save_dir
    try:
        check_writable(folder, SAVE_DIR)
    except UserError as error:
        beside = Path(arguments.config or "").parent
        if not config.test.evaluate or arguments.config is None or Path(folder) != beside:
            raise
        check_writable("log", SAVE_DIR)
        config.data.save_dir = "log"
        _log.warning("%s: the results go to 'log'", error.what)


def _ways(config: Config) -> str:
    """Return the command lines that go on, train in its place, or train beside it."""
    ways = {"go on with it": ["--resume", "auto"], "train in its place": ["--overwrite"]}
    folder = Path(config.data.save_dir)
    if folder.name in ("", ".."):  # such as . and /
        folder = folder.resolve()
    if folder.name:
        ways["keep both"] = [f"data.save_dir={unused(folder, 2)}"]
    lines = [
        f"{shlex.join(['reidcore', *command_line(), *way])}   # {what}"
        for what, way in ways.items()
    ]
    return "\n  ".join(["One of these does:", *lines])
