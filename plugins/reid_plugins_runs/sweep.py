"""``reidcore run --sweep``: runs one after the other, each in a process of its own."""

from __future__ import annotations

import json
import logging
import os
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reid_plugins_runs.child import run_reidcore
from reid_plugins_runs.flat_config import Leaves, leaves_of
from reid_plugins_runs.folders import RESULTS, find_runs, is_run, read_run
from reid_plugins_runs.sweep_plan import SubRun, plan_sweep, read_sweep
from reidcore.cli import command_line, configured, json_alone
from reidcore.errors import DataError, UserError, counted
from reidcore.utils import checkpoints_in, is_in_use

if TYPE_CHECKING:
    from reidcore.cli import Arguments, Session

_log = logging.getLogger(f"reidcore.{__name__}")

_SAVE_DIR = "data.save_dir="


@dataclass
class Planned:
    """A run of a sweep whose configuration was checked.

    Attributes:
        run: its values and name.
        folder: where it writes.
        leaves: what decides its results, by dotted keys.
        code: the exit code of its process; None if there was none.
    """

    run: SubRun
    folder: Path
    leaves: Leaves
    code: int | None = None

    @property
    def is_done(self) -> bool:
        """Whether its folder has the finished run of this configuration."""
        try:
            found = read_run(self.folder) if is_run(self.folder) else None
        except DataError:
            return False
        return (
            found is not None
            and found.state == "finished"
            and leaves_of(found.config) == self.leaves
        )


def run_sweep(session: Session, arguments: Arguments) -> None:
    """Carry out ``reidcore run`` with ``--sweep``, and compare the runs at the end.

    All configurations are checked before the first run starts. A run that fails costs no other;
    Ctrl-C, SIGTERM and SIGHUP end the run under way as they would end it alone, and the sweep.

    Raises:
        UserError: if a configuration is not as it should be, folders hold other runs, or some of
            the runs failed.
    """
    _refuse_other_options(arguments)
    planned = _checked(session, arguments)
    words = _without_sweeps(command_line())
    with json_alone(arguments.as_json) as write:
        for number, each in enumerate(planned, start=1):
            place = f"Run {number} of {len(planned)}: {' '.join(each.run.overrides)}"
            if arguments.resume is not None and each.is_done:
                _log.info("%s is finished in %s", place, each.folder)
                continue
            _log.info("%s, in %s", place, each.folder)
            own = [*words, *each.run.overrides, f"{_SAVE_DIR}{each.folder}"]
            each.code = run_reidcore(own, stdout=2 if arguments.as_json else None)
        _compare(planned, write if arguments.as_json else None)
    failed = [f"{each.run.name} (exit code {each.code})" for each in planned if each.code]
    if failed:
        raise UserError(
            f"{len(failed)} of {counted(len(planned), 'run')} failed: {', '.join(failed)}",
            "What went wrong is told above. The same command with --resume auto does what is left.",
        )


def _refuse_other_options(arguments: Arguments) -> None:
    if arguments.prints_config:
        raise UserError(
            "--print-config shows the configuration of one run, and --sweep makes several",
            "Leave out --sweep, and write one of its values as an override.",
        )
    if arguments.resume not in (None, "auto"):
        raise UserError(
            f"the runs of a sweep cannot all go on from {arguments.resume!r}",
            "--resume auto goes on with each; model.load_weights=FILE begins each with weights.",
        )
    if os.environ.get("WORLD_SIZE", "1") not in ("", "1"):
        raise UserError(
            f"--sweep starts runs of one process, and this is one of {os.environ['WORLD_SIZE']}",
            f"Let the shell sweep:\n  {_loop(arguments)}",
        )


def _loop(arguments: Arguments) -> str:
    """Return what a shell runs in the place of a sweep under torchrun."""
    sweeps = dict(map(read_sweep, arguments.sweeps))
    names = {key: f"value{place}" for place, key in enumerate(sweeps, 1)}
    heads = [f"for {names[key]} in {shlex.join(texts)}; do " for key, texts in sweeps.items()]
    values = [f"{key}=${name}" for key, name in names.items()]
    own = [word for word in arguments.overrides if word.startswith(_SAVE_DIR)]
    above = shlex.quote(own[-1].removeprefix(_SAVE_DIR) if own else "log/sweep")
    words = shlex.join(word for word in _without_sweeps(command_line()) if word not in own)
    processes = os.environ.get("LOCAL_WORLD_SIZE", os.environ["WORLD_SIZE"])
    return (
        f"{''.join(heads)}torchrun --nproc-per-node={processes} -m reidcore {words} "
        + " ".join(f'"{value}"' for value in values)
        + f' {_SAVE_DIR}{above}/"{",".join(values)}"; {"done; " * len(heads)}'
        + f"reidcore runs compare {above}"
    )


def _checked(session: Session, arguments: Arguments) -> list[Planned]:
    """Check the configurations and folders of all runs."""
    from reidcore.config import resolved

    planned = []
    for run in plan_sweep(arguments.sweeps, arguments.overrides):
        overrides = (*arguments.overrides, *run.overrides)
        own = replace(arguments, overrides=overrides, sweeps=(), resume=None)
        with _left_to_the_runs(), configured(session, own) as (config, plugins):
            if config.test.evaluate or not config.train.max_epoch:
                raise UserError(
                    "a sweep trains, and this configuration only tests",
                    "Leave out test.evaluate, and let train.max_epoch be at least 1.",
                )
            # As results.json has it.
            values = json.loads(json.dumps(resolved(config, plugins)))
        planned.append(Planned(run, run.folder(config.data.save_dir), leaves_of(values)))
    _refuse_equal(planned)
    _refuse_held(planned, arguments)
    return planned


@contextmanager
def _left_to_the_runs() -> Iterator[None]:
    """Tell nothing of a configuration: its run does, below the line that says which run it is."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def _refuse_equal(planned: Sequence[Planned]) -> None:
    for place, each in enumerate(planned):
        for other in planned[:place]:
            if each.leaves == other.leaves:
                raise UserError(
                    f"{other.run.name} and {each.run.name} would be the same run",
                    "Leave out the value that says the same, or that changes no result.",
                )


def _refuse_held(planned: Sequence[Planned], arguments: Arguments) -> None:
    """Refuse to begin where a folder holds a run that the command does not speak of."""
    if busy := [str(each.folder) for each in planned if is_in_use(each.folder)]:
        raise UserError(f"a run is under way in {', '.join(map(repr, busy))}", "Wait for its end.")
    if arguments.resume is not None or arguments.overwrites:
        return
    held = [
        str(each.folder)
        for each in planned
        if (each.folder / RESULTS).exists() or checkpoints_in(each.folder)
    ]
    if held:
        more = f" and {len(held) - 1} more" if len(held) > 1 else ""
        raise UserError(
            f"{held[0]!r}{more} of {counted(len(planned), 'folder')} of this sweep hold runs",
            "--resume auto goes on with those and leaves finished ones as they are, --overwrite "
            "trains in their place, and another data.save_dir keeps both.",
        )


def _without_sweeps(words: Sequence[str]) -> list[str]:
    """Return a command line without ``--sweep`` and ``--json``."""
    kept, rest = [], list(words)
    while rest:
        word = rest.pop(0)
        if word == "--sweep":
            rest.pop(0)
        elif word != "--json" and not word.startswith("--sweep="):
            kept.append(word)
    return kept


def _compare(planned: Sequence[Planned], write: Any = None) -> None:
    """Print the runs of a sweep side by side, or write them as JSON."""
    from reid_plugins_runs.commands.compare import show_comparison
    from reid_plugins_runs.comparison import Comparison

    there = [each.folder for each in planned if is_run(each.folder)]
    found = find_runs(there) if there else None
    for fault in found.faults if found else ():
        _log.warning("! %s", fault)
    compared = Comparison(found.runs if found else [])
    if write is not None:
        runs = [
            {"run": str(each.folder), "overrides": each.run.overrides, "exit_code": each.code}
            for each in planned
        ]
        write(compared.as_json() | {"sweep": runs})
    elif compared.groups:
        show_comparison(compared)
