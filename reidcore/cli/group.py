"""A click group whose commands are imported when they run."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import click

from reidcore._lazy import load_target
from reidcore.errors import PluginError, did_you_mean

COMMAND_GROUP = "reidcore.commands"


class LazyGroup(click.Group):
    """Lists commands from a table and from the entry points of ``reidcore.commands``.

    Help texts of the core's commands stand in the table; a plugin's command is listed by its name
    and distribution. Nothing is imported for ``--help``.

    Args:
        commands_table: name -> target and one-line help.
    """

    def __init__(
        self, *arguments: Any, commands_table: Mapping[str, tuple[str, str]], **options: Any
    ) -> None:
        super().__init__(*arguments, **options)
        self.commands_table = commands_table

    @cached_property
    def installed(self) -> dict[str, importlib.metadata.EntryPoint]:
        """The commands that plugins bring; the core's own names cannot be taken."""
        points = importlib.metadata.entry_points(group=COMMAND_GROUP)
        return {point.name: point for point in points if point.name not in self.commands_table}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all names: the core's in the table's order, then the plugins'."""
        return [*self.commands_table, *sorted(self.installed)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command."""
        if cmd_name in self.commands_table:
            command: click.Command = load_target(self.commands_table[cmd_name][0])
            return command
        if cmd_name in self.installed:
            return self._load(self.installed[cmd_name])
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or name the nearest ones."""
        name = args[0]
        if name not in self.list_commands(ctx):
            hint = did_you_mean(name, self.list_commands(ctx))
            ctx.fail(f"no command is named {name!r}. {hint}".rstrip())
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from what is known without importing them."""
        rows = [(name, text) for name, (_, text) in self.commands_table.items()]
        for name, point in sorted(self.installed.items()):
            rows.append((name, f"From {point.dist.name if point.dist else 'a plugin'}."))
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def _load(self, point: importlib.metadata.EntryPoint) -> click.Command:
        try:
            command = point.load()
        except Exception as error:
            raise PluginError(
                f"the command {point.name!r} cannot be loaded from {point.value!r}: {error}",
                "That is a mistake in its plugin; tell its author.",
            ) from error
        if not isinstance(command, click.Command):
            raise PluginError(f"{point.value!r} is no click command", "Tell its author.")
        return command
