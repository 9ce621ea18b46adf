"""Torchreid's command-line flags, and its ``key value`` pairs.

Its flags take several values, ``-s a b``, its overrides stand in two words; click knows neither.
Both are put into click's form, ``-s a -s b`` and ``key=value``, before it reads the words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

from reidcore.cli.names import component_names, is_key

GROUP = "Torchreid's flags"
_SEVERAL = {"multiple": True, "metavar": "NAME..."}


class TorchreidFlag(click.Option):
    """A flag of Torchreid's; with ``multiple`` it takes values up to the next flag or override."""


class ConfigurationCommand(click.Command):
    """A command of a configuration and overrides; Torchreid's flags have a group in its help."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words, Torchreid's among them."""
        return super().parse_args(ctx, in_clicks_form(args, self.get_params(ctx)))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the command's own options, then Torchreid's flags."""
        options = [each for each in self.get_params(ctx) if isinstance(each, click.Option)]
        for title, is_theirs in (("Options", False), (GROUP, True)):
            shown = [each for each in options if isinstance(each, TorchreidFlag) is is_theirs]
            records = [record for each in shown if (record := each.get_help_record(ctx))]
            with formatter.section(title):
                formatter.write_dl(records)


def torchreid_flags(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add Torchreid's flags to a `ConfigurationCommand`."""
    dataset = {"shell_complete": component_names("datasets")}
    transform = {"shell_complete": component_names("transforms")}
    file, folder = click.Path(), click.Path(file_okay=False)
    flags: list[tuple[tuple[str, ...], str, dict[str, Any]]] = [
        (("--config-file",), "As CONFIG.", {"type": file, "metavar": "FILE"}),
        (("--root",), "Folder of datasets.", {"type": folder, "metavar": "DIR"}),
        (("-s", "--sources"), "Datasets to train on.", {**dataset, **_SEVERAL}),
        (("-t", "--targets"), "Datasets to test on.", {**dataset, **_SEVERAL}),
        (("--transforms",), "Transforms to train with.", {**transform, **_SEVERAL}),
    ]
    for names, text, details in reversed(flags):
        command = click.option(*names, help=text, cls=TorchreidFlag, **details)(command)
    return command


def in_clicks_form(words: Sequence[str], parameters: Sequence[click.Parameter]) -> list[str]:
    """Return the words of a command line with one value to each flag and override.

    Of a repeated list the last counts, as in Torchreid.

    Args:
        words: as they were given.
        parameters: those of the command, which tell flags with a value from those without.
    """
    options = [each for each in parameters if isinstance(each, click.Option) and not each.is_flag]
    by_name = {name: option for option in options for name in option.opts}
    rest, read, lists, without = list(words), [], {}, []
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if equals and name in by_name:
            rest.insert(0, value)
            word = name
        option = by_name.get(word)
        if isinstance(option, TorchreidFlag) and option.multiple:
            values = _values(rest)
            lists[option.opts[-1]] = values
            without += [] if values else [word]
        elif option is not None:
            has_value = bool(rest) and not rest[0].startswith("-")
            read += [word, rest.pop(0)] if has_value else []
            without += [] if has_value else [word]
        elif is_key(word) and rest:
            read.append(f"{word}={rest.pop(0)}")
        else:
            read.append(word)
    repeated = [part for name, values in lists.items() for each in values for part in (name, each)]
    return [*read, *repeated, *without[-1:]]


def _values(rest: list[str]) -> list[str]:
    """Take the values of a list off the words that follow it."""
    values = []
    while rest and not (rest[0].startswith("-") or "=" in rest[0] or is_key(rest[0])):
        values.append(rest.pop(0))
    return values
