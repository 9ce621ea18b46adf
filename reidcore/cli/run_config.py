"""Carrying out ``run`` and ``test``: configuration, plugins, then the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from reidcore._files import check_writable
from reidcore._logging import configure_if_bare, has_other_processes
from reidcore.cli.arguments import Arguments
from reidcore.cli.checkpoint_config import (
    configuration_of,
    is_checkpoint,
    recorded_values,
    tell_differences,
    with_checkpoint_found,
)
from reidcore.cli.device import find_device
from reidcore.cli.options import CheckpointOptions, json_alone
from reidcore.cli.run_folder import checked_folder
from reidcore.cli.session import Session
from reidcore.errors import UserError
from reidcore.plugins.bundled import output_not_needed

if TYPE_CHECKING:
    from reidcore.config import Config
    from reidcore.engine import Engine, RunPlan
    from reidcore.plugins import Plugins


T = TypeVar("T")


def execute(session: Session, arguments: Arguments) -> None:
    """Carry out the command line of a run or test."""
    if arguments.prints_config:
        print_config(session, arguments)
        return
    # What is printed as JSON is the result; lines are told on the way.
    goes_on = nullcontext() if arguments.as_json else output_not_needed()
    with goes_on, json_alone(arguments.as_json) as write, processes_joined() as on_main_process:
        with configured(session, arguments) as (config, plugins):
            config.data.save_dir = on_main_process(lambda: checked_folder(config, arguments))
            engine, plan = prepare(config, plugins, arguments.device)
            plan = plan.model_copy(update={"overwrites": arguments.overwrites})
            record = engine.execute(plan)
        on_main_process(lambda: write(record))


@contextmanager
def processes_joined() -> Iterator[Callable[[Callable[[], T]], T]]:
    """Make the processes that torchrun started one run; yields what acts for all on rank 0.

    Where there are no others, mistakes are told without waiting for torch.

    Raises:
        ToldElsewhereError: where another of them failed, and has told why.
    """
    if not has_other_processes():
        yield lambda compute: compute()
        return
    from reidcore.engine import join_processes
    from reidcore.engine.agreement import ending_together, on_main_process

    configure_if_bare()
    with join_processes(), ending_together():
        yield on_main_process


@dataclass(frozen=True)
class OpenCheckpoint:
    """A trained model in the engine that tests it.

    Attributes:
        config: the configuration, from the checkpoint or the options.
        engine: has ``model``, in whose memory the weights are, and ``test_loader``.
        plan: what ``engine.execute`` takes to test it.
    """

    config: Config
    engine: Engine
    plan: RunPlan


@contextmanager
def open_checkpoint(
    session: Session, options: CheckpointOptions, *overrides: str
) -> Iterator[OpenCheckpoint]:
    """Yield a trained model and its test data, with the run's plugins made current.

    Args:
        session: the global options.
        options: what `checkpoint_options` gave.
        overrides: further settings, ``key=value``.

    Raises:
        UserError: if the checkpoint, the dataset or a setting is not as it should be.
    """
    arguments = options.arguments(*overrides)
    with configured(session, arguments) as (config, plugins):
        check_writable(config.data.save_dir, "--save-dir FOLDER")
        yield OpenCheckpoint(config, *prepare(config, plugins, arguments.device))


@contextmanager
def configured(session: Session, arguments: Arguments) -> Iterator[tuple[Config, Plugins]]:
    """Yield the checked configuration of a command line, with its plugins made current.

    The configuration is read before the plugins are loaded, since it may name them; a recipe's
    name is looked up among all that are installed.
    """
    from reidcore.config import check_config, read_config
    from reidcore.config.loader import is_config_file

    configure_if_bare()
    extra = arguments.extra
    added = [*session.extra, *extra]
    is_recipe = arguments.config is not None and not is_config_file(arguments.config)
    plugins = session.plugins(extra) if is_recipe else None
    given = read_config(_source(arguments, added), arguments.overrides, arguments.flags, plugins)
    given = with_checkpoint_found(given)
    recorded = recorded_values(given, added)
    if plugins is None or given.plugins is not None:
        plugins = session.plugins(extra, given.plugins)
    with plugins:
        if recorded is None:
            config = check_config(given, plugins)
        else:
            recorded = recorded.for_plugins(plugins, given)
            config = check_config(recorded.under(given), plugins)
            tell_differences(recorded, given, config, plugins)
        _require_test_of_checkpoint(arguments, config)
        plugins.hook.reid_configure(config=config)
        yield config, plugins


def _source(arguments: Arguments, added: Sequence[str]) -> str | dict[str, Any] | None:
    """Return the configuration's name, or what a checkpoint in its place tells."""
    given = arguments.config
    is_told = given is not None and is_checkpoint(given)
    return configuration_of(given, added) if given is not None and is_told else given


def _require_test_of_checkpoint(arguments: Arguments, config: Config) -> None:
    given = arguments.config
    if given is not None and is_checkpoint(given) and not config.test.evaluate:
        raise UserError(
            f"{given!r} is a checkpoint, which tells how its model is tested, not how to train",
            f"Run: reidcore test {given}, or go on with its run: reidcore run CONFIG --resume "
            f"{given}",
        )


def prepare(config: Config, plugins: Plugins, device: str | None = None) -> tuple[Engine, RunPlan]:
    """Build the engine; imports torch, so that a mistake before is told without waiting for it.

    Raises:
        UserError: if there is no such device, or something is not as the configuration says.
    """
    if device is not None:
        _use(device)
    from reidcore.engine import build

    with plugins.acting():
        return build.prepare(config, plugins)


def _use(device: str) -> None:
    """Let a device that a command line names be the one that models run on.

    Raises:
        UserError: if there is no such device, or it would be that of several processes.
    """
    found = find_device(device)
    if found.type == "cuda" and has_other_processes() and ":" in device:
        raise UserError(
            f"--device {device} would put all processes on one GPU",
            "Write --device cuda: each process uses the GPU of its own number.",
        )
    if found.type == "cuda" and not has_other_processes():
        import torch

        torch.cuda.set_device(found)  # the one that "cuda" means from here on


def print_config(session: Session, arguments: Arguments) -> None:
    """Print every value: as YAML with its origin, or as JSON; what is told goes elsewhere."""
    from reidcore.config import as_yaml, resolved

    with json_alone(True) as write, configured(session, arguments) as (config, plugins):
        write(resolved(config, plugins) if arguments.as_json else as_yaml(config, plugins))
