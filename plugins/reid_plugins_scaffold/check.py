"""``reidcore plugins check``: whether what a plugin registers keeps its contracts."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reidcore.cli import Session, console, echo, json_alone, json_option, progress, table, word
from reidcore.errors import PluginError, UnknownNameError, did_you_mean
from reidcore.registry import singular

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from reid_plugins_scaffold.conformance.checking import ConformanceCheck, Outcome
    from reidcore.plugins import Plugin, Plugins

EPILOG = """\b
Examples:
  reidcore plugins check mydata --root reid-data
  reidcore plugins check reid-acme --kind losses --verbose
  reidcore -p my_step.py plugins check my_step
"""


@click.command(epilog=EPILOG)
@click.argument("name")
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    metavar="KIND",
    help="Only components of this kind, such as losses, or commands; may be given several times.",
)
@click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder of the datasets; without it only what they do where there are no data is checked.",
)
@click.option("--verbose", is_flag=True, help="A row for each check, with its contract.")
@json_option
@click.pass_context
def check(
    context: click.Context,
    name: str,
    kinds: tuple[str, ...],
    root: Path | None,
    verbose: bool,
    as_json: bool,
) -> None:
    """Check that what a plugin registers keeps its contracts.

    NAME is a plugin or its distribution; that of a file added by -p is the file's, without .py.
    Every component and command that it registers is held to what its kind promises: shapes,
    gradients, determinism, copies for worker processes, odd input. Exit code 1 if one fails.
    """
    session: Session = context.obj
    wanted = _known(kinds)
    with json_alone(as_json) as write, session.plugins() as loaded, _quiet():
        checks = [each for each in _checks(name, loaded, root) if each.kind in wanted]
        outcomes = []
        with progress("checks", len(checks)) as advance:
            for each in checks:
                outcomes.append(each.outcome())
                advance(1)
        write([_record(outcome) for outcome in outcomes])
    if not as_json:
        _show(outcomes, name, verbose)
    if any(outcome.state == "failed" for outcome in outcomes):
        context.exit(1)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the runs and readings of checks from telling of themselves."""
    log = logging.getLogger("reidcore")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)


def _known(kinds: Sequence[str]) -> Sequence[str]:
    """Return kinds, in the plural, if they are some; all of them if none is named."""
    from reid_plugins_scaffold.conformance.checking import CLASSES

    plural = {singular(kind): kind for kind in CLASSES} | {kind: kind for kind in CLASSES}
    for kind in kinds:
        if kind not in plural:
            near = did_you_mean(kind, plural) or f"The kinds are: {', '.join(CLASSES)}."
            raise UnknownNameError(f"there are no components of the kind {kind!r}", near)
    return [plural[kind] for kind in kinds] or list(CLASSES)


def _checks(name: str, loaded: Plugins, root: Path | None) -> list[ConformanceCheck]:
    """Return the checks of a plugin, or of all that a distribution brings.

    Raises:
        PluginError: there is none of that name, or it is broken or disabled.
    """
    from reid_plugins_scaffold.conformance.checking import (
        checks_of_commands,
        checks_of_plugin,
        commands_of,
        package_of,
        spelled,
    )

    plugins = [each for each in loaded if each.name == name]
    if plugins:
        commands = commands_of(plugins[0].distribution, package_of(plugins[0]))
    else:
        plugins = [each for each in loaded if spelled(each.distribution) == spelled(name)]
        commands = commands_of(name)
    if not plugins and not commands:
        names = {given for each in loaded for given in (each.name, each.distribution) if given}
        raise PluginError(
            f"no plugin or distribution is named {name!r}",
            f"{did_you_mean(name, names) or 'See: reidcore plugins.'} "
            "A file is added by -p: reidcore -p FILE.py plugins check FILE.",
        )
    given = [each.obj for each in loaded.active if _is_guest(each)]
    usable = [loaded.get(each.name) for each in plugins]
    components = [each for one in usable for each in checks_of_plugin(one, loaded, given, root)]
    return [*components, *checks_of_commands(commands)]


def _is_guest(plugin: Plugin) -> bool:
    """Tell whether a plugin is neither the core's nor a bundled one."""
    return plugin.distribution != "reidcore" and plugin.module_name.partition(".")[0] != "reidcore"


def _record(outcome: Outcome) -> dict[str, str]:
    return {
        "kind": outcome.check.kind,
        "name": outcome.check.name,
        "check": outcome.check.method.removeprefix("test_"),
        "contract": outcome.check.contract.rule,
        "state": outcome.state,
        "text": outcome.text,
    }


def _show(outcomes: Sequence[Outcome], name: str, verbose: bool) -> None:
    if not outcomes:
        echo(
            f"{name} registers no such component and no command. What its hooks do in a run is "
            "for its tests: reidcore.testing.tiny_run."
        )
        return
    shown = _rows_of_checks(outcomes) if verbose else _rows_of_components(outcomes)
    console().print(shown)
    for outcome in outcomes:
        if outcome.state == "failed":
            echo(f"\n{outcome.text}")
    counts = ", ".join(
        f"{sum(outcome.state == state for outcome in outcomes)} {state}"
        for state in ("passed", "skipped", "failed")
    )
    echo(f"\n{counts}")


def _rows_of_components(outcomes: Sequence[Outcome]) -> Table:
    shown = table("name", word("kind"), word("checks"), word("result"), "not checked")
    for kind, name in dict.fromkeys((each.check.kind, each.check.name) for each in outcomes):
        mine = [each for each in outcomes if (each.check.kind, each.check.name) == (kind, name)]
        reasons = dict.fromkeys(each.text for each in mine if each.state == "skipped")
        shown.add_row(name, kind, str(len(mine)), _worst(mine), "; ".join(reasons))
    return shown


def _rows_of_checks(outcomes: Sequence[Outcome]) -> Table:
    shown = table("name", word("kind"), "contract", word("result"))
    for outcome in outcomes:
        rule = outcome.check.contract.rule
        shown.add_row(outcome.check.name, outcome.check.kind, rule, _coloured(outcome.state))
    return shown


def _worst(outcomes: Iterable[Outcome]) -> Text:
    states = [outcome.state for outcome in outcomes]
    failed = states.count("failed")
    if failed:
        return _coloured("failed", f"{failed} failed")
    return _coloured("passed" if "passed" in states else "skipped")


def _coloured(state: str, text: str = "") -> Text:
    from rich.text import Text

    colours = {"failed": "red", "passed": "green", "skipped": "yellow"}
    return Text(text or state, style=colours[state])
