"""What the command line of ``run`` and ``test`` says, and how such a command is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

import click

from reidcore.cli.device import device_option
from reidcore.cli.names import configuration_words, is_key
from reidcore.cli.session import Session
from reidcore.cli.torchreid_flags import ConfigurationCommand, torchreid_flags
from reidcore.errors import UserError

_ADDS = "Add a plugin file."
plugin_option = click.option(
    *("-p", "--plugin", "extra"), multiple=True, type=click.Path(), metavar="FILE", help=_ADDS
)

print_config_option = click.option(
    "--print-config", "prints_config", is_flag=True, help="Print the configuration; run nothing."
)


@dataclass(frozen=True)
class Arguments:
    """What the command line of a run or test says.

    Attributes:
        config: the configuration's path or recipe name, or a checkpoint; None for the defaults.
        overrides: ``key=value`` words, in order.
        data: the section ``data``, from Torchreid's flags.
        device: where to run; None for the configuration's choice.
        resume: the checkpoint to go on from, a folder of them, or ``auto``.
        overwrites: train in the place of an earlier run, whose files are removed.
        prints_config: print the configuration instead of running it.
        as_json: print the record of the results, and nothing else, on standard output.
        sweeps: ``key=value,value`` words, of which a run each is made.
        extra: plugin files to add.
    """

    config: str | None = None
    overrides: tuple[str, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    device: str | None = None
    resume: str | None = None
    overwrites: bool = False
    prints_config: bool = False
    as_json: bool = False
    sweeps: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()

    @property
    def flags(self) -> dict[str, Any]:
        """The flags as a nested configuration."""
        flags: dict[str, Any] = {"data": dict(self.data)} if self.data else {}
        if self.resume is not None:
            flags["model"] = {"resume": self.resume}
        if self.device is not None:
            flags["use_gpu"] = self.device != "cpu"
        return flags

    @classmethod
    def read(
        cls, words: Sequence[str], config_file: str | None = None, **options: Any
    ) -> Arguments:
        """Sort the words of a command line; the options are those of Torchreid and our own.

        Raises:
            UserError: if an override has no value, or two configurations are given.
        """
        overrides = [word for word in words if "=" in word]
        without = [word for word in words if "=" not in word and is_key(word)]
        if without:
            raise UserError(
                f"the override {without[0]!r} has no value", f"Write {without[0]}=VALUE."
            )
        named = [word for word in words if "=" not in word]
        named += [config_file] if config_file is not None else []
        if len(named) > 1:
            raise UserError(
                f"two configurations are given: {named[0]!r} and {named[1]!r}",
                "Give one; overrides are written key=value.",
            )
        given = {name: options.pop(name, None) for name in ("sources", "targets", "transforms")}
        data = {name: list(values) for name, values in given.items() if values}
        if (root := options.pop("root", None)) is not None:
            data["root"] = root
        return cls(named[0] if named else None, tuple(overrides), data, **options)


def configuration_command(
    epilog: str, *further: Callable[[Callable[..., Any]], Any]
) -> Callable[[Callable[[Session, Arguments], None]], click.Command]:
    """Make a command of a function ``(session, arguments)`` that takes a configuration.

    Args:
        epilog: examples below the help.
        further: options beside the common ones, each a field of `Arguments`.
    """
    words = click.argument(
        "words", nargs=-1, shell_complete=configuration_words, metavar="[CONFIG] [KEY=VALUE]..."
    )

    def decorate(function: Callable[[Session, Arguments], None]) -> click.Command:
        @click.pass_obj
        @wraps(function)
        def command(session: Session, /, **options: Any) -> None:
            function(session, Arguments.read(**options))

        decorated: Callable[..., Any] = torchreid_flags(command)
        for option in (*reversed(further), print_config_option, device_option, plugin_option):
            decorated = option(decorated)
        return click.command(cls=ConfigurationCommand, epilog=epilog)(words(decorated))

    return decorate
