"""A click group of the core's commands and of plugins', each imported when it runs."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, NamedTuple

import click
from click.shell_completion import CompletionItem

from reidcore._lazy import load_target
from reidcore._source import summary
from reidcore.cli.installed import Installed, installed_below
from reidcore.errors import did_you_mean

_log = logging.getLogger(__name__)

_WORDS = f"{__name__}:words"


class CoreCommand(NamedTuple):
    """A command of the core.

    Attributes:
        target: ``"module:attribute"``, imported when the command runs.
        help: one line for the list of commands.
        is_group: whether it is a `CommandGroup`, to which plugins may add.
    """

    target: str
    help: str
    is_group: bool = False


class CommandGroup(click.Group):
    """Lists the core's commands, then those that plugins add by entry points.

    Nothing is imported for ``--help``: texts of the core's commands stand in its table, those of
    plugins' commands are read from their source.

    Args:
        path: the group's dotted name among commands; empty for ``reidcore`` itself.
        table: name -> the core's command; commands may also be added as to any click group.
    """

    def __init__(
        self,
        *arguments: Any,
        path: str = "",
        table: Mapping[str, CoreCommand] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(*arguments, **options)
        self.path = path
        self.table = table or {}

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words, and keep those of the whole command line for messages."""
        ctx.meta.setdefault(_WORDS, list(args))
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all names: the core's in the table's order, then the plugins'."""
        installed = self._installed(ctx)
        plugins = sorted([*installed.commands, *installed.groups])
        return [*self.table, *super().list_commands(ctx), *plugins]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command."""
        installed = self._installed(ctx)
        for line in installed.left_out.get(cmd_name, ()):
            _log.warning("! %s", line)
        if cmd_name in self.table:
            command: click.Command = load_target(self.table[cmd_name].target)
            return command
        if cmd_name in installed.commands:
            return installed.commands[cmd_name].load()
        if cmd_name in installed.groups:
            group = installed.groups[cmd_name]
            path = f"{self.path}.{cmd_name}" if self.path else cmd_name
            return CommandGroup(cmd_name, path=path, help=group.text, epilog=group.epilog)
        return super().get_command(ctx, cmd_name)

    def invoke(self, ctx: click.Context) -> Any:
        """Carry out the command; one that ends by click's means ends as by `sys.exit`."""
        try:
            return super().invoke(ctx)
        except click.exceptions.Exit as ended:
            raise SystemExit(ended.exit_code).with_traceback(ended.__traceback__) from None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or name the nearest ones."""
        name = args[0]
        if name not in self.list_commands(ctx) and not ctx.resilient_parsing:
            hint = did_you_mean(name, self.list_commands(ctx))
            ctx.fail(f"no command is named {name!r}. {hint}".rstrip())
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands, and tell of those that are left out."""
        texts = self._texts(ctx)
        with formatter.section("Commands"):
            formatter.write_dl([(name, texts[name]) for name in self.list_commands(ctx)])
        for lines in self._installed(ctx).left_out.values():
            for line in lines:
                _log.warning("! %s", line)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete commands, none of which is imported for it, and options."""
        texts = self._texts(ctx)
        found = [CompletionItem(name, help=texts[name]) for name in self.list_commands(ctx)]
        options = click.Command.shell_complete(self, ctx, incomplete)
        return [*(each for each in found if each.value.startswith(incomplete)), *options]

    def _texts(self, ctx: click.Context) -> dict[str, str]:
        """Return the line of help of each command."""
        installed = self._installed(ctx)
        return {
            **{name: command.help for name, command in self.table.items()},
            **{name: summary(command.help or "") for name, command in self.commands.items()},
            **{name: command.help for name, command in installed.commands.items()},
            **{name: group.help for name, group in installed.groups.items()},
        }

    def _installed(self, ctx: click.Context) -> Installed:
        """Return what plugins add, which is looked up once for each command line."""
        key = f"{__name__}:{self.path}"
        if key not in ctx.meta:
            own = {name: command.is_group for name, command in self.table.items()}
            own |= {name: isinstance(each, CommandGroup) for name, each in self.commands.items()}
            ctx.meta[key] = installed_below(self.path, own)
        found: Installed = ctx.meta[key]
        return found


def command_line() -> list[str]:
    """Return the words of the command line that is carried out, without the program's name."""
    words: list[str] = click.get_current_context().meta.get(_WORDS, [])
    return words
