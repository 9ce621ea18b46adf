"""``reidcore plugins``: which plugins there are, how they fared, and who answers a hook."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reidcore.cli.group import CommandGroup
from reidcore.cli.names import hook_names
from reidcore.cli.options import json_alone, json_option
from reidcore.cli.output import echo
from reidcore.cli.session import Session
from reidcore.cli.tables import console, table, word
from reidcore.errors import UnknownNameError, did_you_mean
from reidcore.plugins import describe

if TYPE_CHECKING:
    import pluggy

    from reidcore.plugins import Plugin, Plugins

EPILOG = """\b
Examples:
  reidcore plugins --json
  reidcore plugins --verbose
  reidcore plugins why reid_forward_backward
"""

WHY_EPILOG = """\b
Examples:
  reidcore plugins why reid_compute_losses
  reidcore -p my_step.py plugins why reid_forward_backward
"""


@click.group(cls=CommandGroup, path="plugins", invoke_without_command=True, epilog=EPILOG)
@json_option
@click.option("--verbose", is_flag=True, help="Tell all about each, private imports included.")
@click.pass_context
def plugins(context: click.Context, as_json: bool, verbose: bool) -> None:
    """List plugins: name, distribution, version, state, hooks."""
    if context.invoked_subcommand is not None:
        return
    session: Session = context.obj
    with json_alone(as_json) as write:
        loaded = session.plugins()
        records = [
            {**_as_record(plugin), **(_more(plugin, loaded) if verbose else {})}
            for plugin in loaded
        ]
        write(records)
    if as_json:
        return
    if verbose:
        for record in records:
            _print_record(record)
    else:
        _print_table(list(loaded))


@plugins.command(epilog=WHY_EPILOG)
@click.argument("hook", shell_complete=hook_names)
@click.pass_obj
def why(session: Session, hook: str) -> None:
    """Show who answers HOOK, in call order."""
    with session.plugins() as loaded:
        names = loaded.hook_names
        if hook not in names:
            raise UnknownNameError(
                f"there is no hook named {hook!r}",
                did_you_mean(hook, names) or f"The hooks are: {', '.join(names)}.",
            )
        if hook in loaded.published:
            echo(f"published by plugin {loaded.published[hook].origin}")
        for number, (plugin, implementation) in enumerate(loaded.implementations(hook), 1):
            echo(f"{number}. {plugin.origin}  {_role(implementation)}")


def _role(implementation: pluggy.HookImpl) -> str:
    role = "wraps" if implementation.wrapper or implementation.hookwrapper else "answers"
    order = " (first)" if implementation.tryfirst else " (last)" if implementation.trylast else ""
    return role + order


def _as_record(plugin: Plugin) -> dict[str, object]:
    return {
        "name": plugin.name,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "state": plugin.state,
        "error": describe(plugin.error) if plugin.error else None,
        "hooks": list(plugin.hooks),
    }


def _more(plugin: Plugin, loaded: Plugins) -> dict[str, object]:
    """Return what ``--verbose`` adds: where the code is, and what it reaches into."""
    if plugin.obj is None:
        return {}
    from reidcore.plugins.bundled import private_imports

    module = plugin.module_name
    is_own = module.partition(".")[0] == "reidcore"
    return {
        "module": module,
        "publishes": [name for name, owner in loaded.published.items() if owner is plugin],
        "private_imports": [] if is_own else private_imports(module),
    }


def _print_record(record: dict[str, object]) -> None:
    """Print what is known of a plugin, a line each; private imports with what they mean."""
    brought = f" ({record['distribution']} {record['version']})" if record["distribution"] else ""
    echo(f"{record['name']}{brought}: {record['error'] or record['state']}")
    for key in ("module", "hooks", "publishes"):
        value = record.get(key)
        if value:
            echo(f"  {key}: {', '.join(value) if isinstance(value, list) else value}")
    if private := record.get("private_imports"):
        assert isinstance(private, list)
        echo(f"  private modules of reidcore: {', '.join(private)}")
        echo("    These work, and may change or go with any release.")


def _print_table(loaded: list[Plugin]) -> None:
    from rich.table import Column
    from rich.text import Text

    headings = map(word, ("distribution", "version", "state"))
    shown = table("name", *headings, Column("hooks", style="dim"))
    for plugin in loaded:
        detail = describe(plugin.error) if plugin.error else ", ".join(plugin.hooks)
        state = Text(plugin.state, style="red" if plugin.error else "")
        shown.add_row(plugin.name, plugin.distribution, plugin.version, state, detail)
    console().print(shown)
