"""Which component owns which key, and the options that a component is given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reidcore.config.origins import Path, at
from reidcore.config.problems import keys_of
from reidcore.config.schema import Config
from reidcore.config.selection import SELECT
from reidcore.errors import UserError
from reidcore.registry import KINDS, Entry, entries, find
from reidcore.registry.signature import Option, options_declared, takes_anything

if TYPE_CHECKING:
    from reidcore.plugins import Plugins

# A section named after the component, at the top level: ``market1501: {...}``.
NAMED_KINDS = ("datasets", "transforms", "optimizers", "schedulers", "protocols")
# A section named after the component, under ``loss``.
LOSS_KINDS = ("losses", "engines")


@dataclass
class Claims:
    """What installed components say about the keys of one section.

    Attributes:
        options: key -> the components that take it, each with the option it stands for.
        owners: the components the section belongs to.
        unlimited: whether some owner takes any key, or cannot be asked.
    """

    options: dict[str, list[tuple[Entry, Option]]] = field(default_factory=dict)
    owners: list[Entry] = field(default_factory=list)
    unlimited: bool = False


def section_of(entry: Entry) -> Path:
    """Return the place of a component's own options."""
    if entry.kind == "models":
        return ("model",)
    if entry.kind == "samplers":
        return ("sampler",)
    return ("loss", entry.name) if entry.kind in LOSS_KINDS else (entry.name,)


def claims_on(place: Path, selected: Iterable[Entry], plugins: Plugins | None) -> Claims:
    """Gather what the installed components say about a section.

    Args:
        place: ``("market1501",)``, ``("loss", "circle")``, ``("model",)`` or ``("sampler",)``.
        selected: the components in use; ``model`` and ``sampler`` belong to these alone.
        plugins: where components are looked up.
    """
    claims = Claims()
    for owner in _owners(place, selected, plugins):
        claims.owners.append(owner)
        try:
            declared = options_declared(owner)
            claims.unlimited = claims.unlimited or takes_anything(owner)
        except UserError:  # needs an extra; told where the component is selected
            claims.unlimited = True
            continue
        for name, option in declared.items():
            claims.options.setdefault(name, []).append((owner, option))
        for spelling, real in owner.options.items():
            if real in declared and "." not in spelling:
                claims.options.setdefault(spelling, []).append((owner, declared[real]))
    for key, entry, real in _spelled_in(place, plugins):
        claims.options.setdefault(key, []).append((entry, spelled_option(entry, real)))
    return claims


def spelled_option(entry: Entry, real: str) -> Option:
    """Return the option that a dotted spelling stands for."""
    if real == SELECT:
        return Option(SELECT, bool, False)
    try:
        return options_declared(entry).get(real, Option(real, Any))
    except UserError:
        return Option(real, Any)


def options_of(
    config: Config, kind: str, name: str, plugins: Plugins | None = None
) -> dict[str, Any]:
    """Return the options that a configuration gives to a component, under their real names.

    They are the keyword arguments of its factory that the core does not supply itself.

    Args:
        config: a checked configuration.
        kind: the component's kind, such as ``"datasets"``.
        name: its registered name.
        plugins: where it is looked up; the current plugins by default.

    Raises:
        UnknownNameError: no such component.
        pydantic.ValidationError: the configuration was not checked, and a value is mistyped.
    """
    entry = find(kind, name, plugins)
    declared = options_declared(entry)
    given = {real: value for real, value in given_to(config, entry) if real in declared}
    options = {real: declared[real].read(value) for real, value in given.items()}
    if takes_anything(entry):
        core = keys_of(Config, section_of(entry))
        own = _own_section(config, entry)
        options |= {
            key: value
            for key, value in own.items()
            if entry.options.get(key, key) not in declared and key not in core
        }
    return options


def model_arguments(config: Config, plugins: Plugins | None = None) -> dict[str, Any]:
    """Return what a configuration gives to ``build_model`` that decides the network's form.

    Those are the model's own options, its head, and the size of the images.

    Args:
        config: a checked configuration.
        plugins: where the model is looked up; the current plugins by default.

    Raises:
        UnknownNameError: no such model.
    """
    return {
        **options_of(config, "models", config.model.name, plugins),
        "image_size": (config.data.height, config.data.width),
        "head": config.model.head.chosen(),
    }


def given_to(config: Config, entry: Entry) -> Iterator[tuple[str, Any]]:
    """Yield the real name and the value of every key meant for a component, later ones winning."""
    values = config.model_dump()
    for spelling, real in entry.options.items():
        if "." in spelling:
            try:
                yield real, at(values, tuple(spelling.split(".")))
            except (KeyError, TypeError):
                continue
    for key, value in _own_section(config, entry).items():
        yield entry.options.get(key, key), value


def _own_section(config: Config, entry: Entry) -> dict[str, Any]:
    values = config.model_dump()
    *above, name = section_of(entry)
    own: dict[str, Any] = {}
    for spelling in (*reversed(entry.aliases), name) if name == entry.name else (name,):
        try:
            own |= at(values, (*above, spelling))
        except (KeyError, TypeError):
            continue
    return own


def _owners(place: Path, selected: Iterable[Entry], plugins: Plugins | None) -> Iterator[Entry]:
    if place in (("model",), ("sampler",)):
        kind = f"{place[0]}s"
        yield from (entry for entry in selected if entry.kind == kind)
        return
    for kind in LOSS_KINDS if place[0] == "loss" else NAMED_KINDS:
        for entry in entries(kind, plugins):
            if place[-1] in (entry.name, *entry.aliases):
                yield entry


def _spelled_in(place: Path, plugins: Plugins | None) -> Iterator[tuple[str, Entry, str]]:
    section = ".".join(place)
    for kind in KINDS:
        for entry in entries(kind, plugins):
            for spelling, real in entry.options.items():
                head, dot, key = spelling.rpartition(".")
                if dot and head == section:
                    yield key, entry, real
