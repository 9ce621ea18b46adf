"""The commands that plugins bring: entry points of ``reidcore.commands``, read, not imported.

``split`` is a command of ``reidcore``; ``data.split`` is the sub-command ``split`` of ``data``,
whoever brings either. A group exists once it has a sub-command. An entry point of the group's own
name whose value is a module, ``data = "my_package.data"``, describes it by that docstring.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import click

from reidcore._source import docstring, summary
from reidcore.errors import PluginDefectError
from reidcore.plugins import describe
from reidcore.plugins.discovery import BUNDLED_DISTRIBUTION, Candidate, installed_candidates

COMMANDS_GROUP = "reidcore.commands"


@dataclass(frozen=True)
class InstalledCommand:
    """A command that an entry point names.

    Attributes:
        candidate: the entry point; its name is dotted, ``data.split``.
    """

    candidate: Candidate

    @property
    def help(self) -> str:
        """The first line of its docstring, and who brings it if that is not reidcore."""
        text, distribution = summary(docstring(self.candidate.location)), _owner(self.candidate)
        if not text:
            return f"From {distribution}."
        return text if distribution == BUNDLED_DISTRIBUTION else f"{text} ({distribution})"

    def load(self) -> click.Command:
        """Import the command.

        Raises:
            PluginDefectError: if it cannot be imported, or is no command.
        """
        name, target = self.candidate.name, self.candidate.location
        try:
            command = self.candidate.load()
        except (Exception, SystemExit) as error:
            raise PluginDefectError(
                f"the command {name.replace('.', ' ')!r} of {_owner(self.candidate)} cannot be "
                f"loaded from {target!r}: {describe(error)}"
            ) from error
        if not isinstance(command, click.Command):
            raise PluginDefectError(f"{target!r} of {_owner(self.candidate)} is no click command")
        return command


@dataclass
class InstalledGroup:
    """A group of commands that entry points name.

    Attributes:
        members: the entry points below it.
        described: the entry point of its own name, whose module describes it.
    """

    members: list[Candidate] = field(default_factory=list)
    described: Candidate | None = None

    @property
    def help(self) -> str:
        """The first line of what the group is for."""
        return summary(self.text)

    @property
    def text(self) -> str:
        """What the group is for: its module's docstring without the examples."""
        text, _, _ = self._docstring().partition("\nExamples:\n")
        distributions = dict.fromkeys(map(_owner, self.members))
        return text.strip() or f"Commands of {' and '.join(distributions)}."

    @property
    def epilog(self) -> str | None:
        """The examples in its module's docstring, as click takes them unwrapped."""
        _, _, examples = self._docstring().partition("\nExamples:\n")
        lines = [f"  {line.strip()}" for line in examples.splitlines() if line.strip()]
        return "\n".join(["\b", "Examples:", *lines]) if lines else None

    def _docstring(self) -> str:
        return docstring(self.described.location) if self.described else ""


@dataclass
class Installed:
    """The commands and groups that plugins add to one group, and what was left out.

    Attributes:
        commands: name -> command.
        groups: name -> group.
        left_out: name -> what else would have that name, and why it has not: a line each.
    """

    commands: dict[str, InstalledCommand] = field(default_factory=dict)
    groups: dict[str, InstalledGroup] = field(default_factory=dict)
    left_out: dict[str, list[str]] = field(default_factory=dict)

    def leave_out(self, name: str, candidate: Candidate, reason: str) -> None:
        """Keep a line on a command that is left out."""
        words = candidate.name.replace(".", " ")
        line = f"the command {words!r} of {_owner(candidate)} is left out: {reason}"
        self.left_out.setdefault(name, []).append(line)


def installed_below(path: str, own: Mapping[str, bool]) -> Installed:
    """Return what plugins add to a group of commands.

    The first of a name has it: the core, then bundled plugins, then others by distribution.

    Args:
        path: the group's dotted name; empty for ``reidcore`` itself.
        own: the names of the core's commands in the group, and whether each is a group.
    """
    found = Installed()
    descriptions = []
    for place in _places_below(path):
        candidate, name = place.candidate, place.name
        if place.is_description:
            descriptions.append(place)
        elif place.is_member and own.get(name):
            continue  # the core's group finds it
        elif name in own:
            found.leave_out(name, candidate, "reidcore itself has a command of that name")
        elif name in found.commands:
            owner = _owner(found.commands[name].candidate)
            found.leave_out(name, candidate, f"{name!r} is a command of {owner}")
        elif place.is_member:
            group = found.groups.setdefault(name, InstalledGroup())
            group.members.append(candidate)
        elif name in found.groups:
            owner = _owner(found.groups[name].members[0])
            found.leave_out(name, candidate, f"{name!r} is a group of commands of {owner}")
        else:
            found.commands[name] = InstalledCommand(candidate)
    for place in descriptions:
        if place.name in found.groups and found.groups[place.name].described is None:
            found.groups[place.name].described = place.candidate
    return found


class _Place(NamedTuple):
    """Where an entry point stands below a group: what it is called there, and what it is."""

    name: str
    candidate: Candidate
    is_member: bool
    is_description: bool


def _places_below(path: str) -> Iterator[_Place]:
    """Yield the entry points below a group; those whose names lack a part name no command."""
    prefix = f"{path}." if path else ""
    for candidate in installed_candidates(COMMANDS_GROUP):
        below = candidate.name.removeprefix(prefix)
        if candidate.name.startswith(prefix) and all(below.split(".")):
            name, _, rest = below.partition(".")
            is_description = not rest and ":" not in candidate.location
            yield _Place(name, candidate, bool(rest), is_description)


def _owner(candidate: Candidate) -> str:
    return candidate.distribution or candidate.location
