"""A component with the options it is to be made with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from reidcore._validation import dotted, mistakes_in
from reidcore.errors import (
    ConfigError,
    PluginDefectError,
    UnknownOptionError,
    UserError,
    did_you_mean,
    quoted,
)
from reidcore.plugins.attribution import exit_defect
from reidcore.registry.entry import Entry, singular
from reidcore.registry.lookup import find
from reidcore.registry.named import NamedDataset, NamedDatasets
from reidcore.registry.signature import (
    has_kwargs,
    options_hint,
    spellings,
    supplied_to,
    takes_first_by_position,
)

if TYPE_CHECKING:
    from reidcore.plugins import Plugins


@dataclass(frozen=True)
class Component:
    """A component that was chosen, and its options.

    Attributes:
        entry: the registered component.
        options: validated, under their real names; those that are not there have their defaults.
    """

    entry: Entry
    options: Mapping[str, Any] = field(default_factory=dict)

    def make(self, **supplied: Any) -> Any:
        """Call the factory with its options and what the core supplies.

        Args:
            supplied: arguments by the names that ``SUPPLIED`` has for the kind. Those that every
                factory gets must be there; of the others a factory gets what it has a name for.

        Raises:
            PluginDefectError: the factory tried to end the program, or does not take what every
                factory of the kind gets.
        """
        parameters = self.entry.parameters()
        first = {name: supplied.pop(name) for name in supplied_to(self.entry).first}
        takes_all = self.entry.kind == "engines" and has_kwargs(self.entry)
        named = {name: each for name, each in supplied.items() if takes_all or name in parameters}
        factory = self.entry.load()
        by_position = takes_first_by_position(self.entry)
        try:
            if by_position:
                return factory(*first.values(), **named, **self.options)
            return factory(**first, **named, **self.options)
        except SystemExit as error:
            raise exit_defect(self.entry.origin, error, "its factory") from error
        except TypeError as error:
            # Raised inside the factory, its traceback goes on there, and that names the plugin.
            if error.__traceback__ is None or error.__traceback__.tb_next is not None:
                raise
            given = ", ".join([*first, *named, *self.options])
            raise PluginDefectError(
                f"{self.entry.origin} cannot be made with {given}: {error}"
            ) from error


Choose = Callable[[str, str], Component]
"""What gives a component, with its options, by kind and name."""


@dataclass(frozen=True)
class Chooser:
    """Chooses components by name, with the options that a program gives.

    Attributes:
        plugins: where to look; the current plugins by default.
        sections: component's name, or an alias of it -> the options for that one alone.
        shared: kind -> options for whichever components of it declare them.
        datasets: datasets under names of the program's own.
    """

    plugins: Plugins | None = None
    sections: Mapping[str, Any] = field(default_factory=dict)
    shared: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    datasets: NamedDatasets = field(default_factory=dict)

    def __call__(self, kind: str, name: str) -> Component:
        """Return a component with what it is given; its own section wins."""
        own = self.datasets if kind == "datasets" else {}
        named = NamedDataset.of(own, name)
        name = named.kind if named else name
        entry = find(kind, name, self.plugins, own)
        known = spellings(entry)
        shared = self.shared.get(kind, {})
        given = {key: value for key, value in shared.items() if key in known}
        sections = (
            self.sections[each]
            for each in (name, entry.name, *entry.aliases)
            if each in self.sections
        )
        section: Any = next(sections, {})
        if not isinstance(section, Mapping):
            raise ConfigError(
                f"the options of {entry.label} are {quoted(section)}",
                f"Give a mapping, as in {name}={{'p': 0.5}}",
            )
        given |= dict(section)
        if named:
            entry, given = named.entry(entry), given | named.options(entry)
        return Component(entry, read_options(entry, given))


def choose(
    kind: str, name: str, given: Mapping[str, Any] | None = None, plugins: Plugins | None = None
) -> Component:
    """Find a component and read its options.

    Args:
        kind: one of ``KINDS``.
        name: the component's name.
        given: its options, in any of their spellings.
        plugins: where to look; the current plugins by default.

    Raises:
        UnknownNameError: there is no such component, or it has no such option.
        ConfigError: an option has a value of another type, or a required one is missing.
    """
    entry = find(kind, name, plugins)
    return Component(entry, read_options(entry, given or {}))


def read_options(entry: Entry, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return options as the factory takes them, under their real names.

    Args:
        entry: the component.
        given: its options, in any of their spellings.

    Raises:
        UnknownOptionError: it has no option of that name.
        ConfigError: an option has a value of another type, or a required one is missing.
    """
    known = spellings(entry)
    last = {known.get(name, name): name for name in given}  # of two spellings the later one counts
    chosen = {name: given[name] for name in last.values()}
    try:
        read = entry.options_model().model_validate(chosen)
    except ValidationError as error:
        raise _refusal(entry, chosen, error) from None
    return {name: value for name, value in read if name in read.model_fields_set}


def _refusal(entry: Entry, given: Mapping[str, Any], error: ValidationError) -> UserError:
    found = list(mistakes_in(given, error))
    unknown = [str(mistake.place[0]) for mistake in found if mistake.kind == "unknown"]
    missing = [dotted(mistake.place) for mistake in found if mistake.kind == "missing"]
    mistyped = [mistake for mistake in found if mistake.kind == "value"]
    told = [f"has no option {name!r}" for name in unknown]
    told += [f"needs {', '.join(missing)}"] if missing else []
    told += [f"cannot take {dotted(each.place)}: {each.text}" for each in mistyped]
    what = f"{entry.label} of plugin {entry.plugin!r} {'; '.join(told)}"
    if unknown:
        return UnknownOptionError(what, " ".join(_hints(entry, unknown)))
    if missing:
        return ConfigError(what, f"Give it in the {singular(entry.kind)}'s section.")
    return ConfigError(what)


def _hints(entry: Entry, unknown: list[str]) -> list[str]:
    known = spellings(entry)
    hints = [did_you_mean(name, known) for name in unknown]
    hints += [
        f"The core gives {name!r} itself." for name in unknown if name in supplied_to(entry).names
    ]
    hints.append(options_hint(known))
    return [hint for hint in hints if hint]
