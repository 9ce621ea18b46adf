"""What a command of a plugin does on the command line."""

from __future__ import annotations

from typing import Any, ClassVar

import click
from click.testing import CliRunner, Result

from reid_plugins_scaffold.conformance.base import Conformance
from reid_plugins_scaffold.conformance.contract import Broken, contract
from reidcore.cli import Session


class CommandConformance(Conformance):
    """Checks of commands.

    Attributes:
        command: the click command that an entry point of ``reidcore.commands`` names.
        name: how it is called, such as ``data split``, for messages.
    """

    command: ClassVar[Any] = None

    @property
    def subject(self) -> str:
        """The command, for messages."""
        return f"command {self.name or getattr(self.command, 'name', '')!r}"

    @contract(
        "The entry point leads to a click command.",
        "Decorate the function with @click.command(), and name it in the entry point as "
        "module:function.",
    )
    def test_it_is_a_click_command(self) -> None:
        """A command or a group."""
        if not isinstance(self.command, click.Command):
            raise Broken(f"is a {type(self.command).__name__}")

    @contract(
        "Its help says in its first line what it does, and each option what it is for.",
        "Write a docstring for the function, and help= for each click.option.",
    )
    def test_it_says_what_it_is(self) -> None:
        """A line of help, and one for each option."""
        if not (self.command.help or "").strip():
            raise Broken("has no help")
        silent = [
            parameter.opts[0]
            for parameter in self.command.params
            if isinstance(parameter, click.Option) and not (parameter.help or parameter.hidden)
        ]
        if silent:
            raise Broken(f"has options without help: {', '.join(silent)}")

    @contract(
        "--help is shown with exit code 0, and an option that does not exist is refused with 2.",
        "Import what the command needs inside its function; leave exit codes to click and to "
        "UserError.",
    )
    def test_help_and_mistakes_have_their_exit_codes(self) -> None:
        """0 and 2."""
        for words, code in ((["--help"], 0), (["--no-such-option"], 2)):
            done = self._called(words)
            if done.exit_code != code:
                raise Broken(f"ends {words[0]} with exit code {done.exit_code}: {done.output}")

    def _called(self, words: list[str]) -> Result:
        return CliRunner().invoke(self.command, words, obj=Session())
