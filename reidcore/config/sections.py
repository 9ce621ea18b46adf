"""Which component owns which key, and the options that a component is given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reidcore._validation import at
from reidcore.config.layers import Path
from reidcore.config.problems import keys_of
from reidcore.config.schema import Config
from reidcore.errors import UserError
from reidcore.registry import KINDS, Component, Entry, choose, entries, find
from reidcore.registry.signature import spellings, takes_anything

if TYPE_CHECKING:
    from reidcore.plugins import Plugins

# A section named after the component, at the top level: ``market1501: {...}``.
NAMED_KINDS = ("datasets", "transforms", "optimizers", "schedulers", "protocols")
# A section named after the component, under ``loss``.
LOSS_KINDS = ("losses", "engines")
# The keys of ``model.head`` that name a component, by its kind.
HEAD_KINDS = {"poolings": "pool", "classifiers": "classifier"}


@dataclass(frozen=True)
class Claim:
    """What one installed component says about the keys of a section.

    Attributes:
        entry: the component.
        keys: the keys it takes there -> the options they stand for.
        is_owner: whether the section is the component's own; others spell single keys of it.
        is_unlimited: whether it takes any key, or cannot be asked.
    """

    entry: Entry
    keys: Mapping[str, str]
    is_owner: bool = True
    is_unlimited: bool = False


def section_of(entry: Entry) -> Path:
    """Return the place of a component's own options."""
    if entry.kind == "models":
        return ("model",)
    if entry.kind in HEAD_KINDS:
        return ("model", "head")
    if entry.kind == "samplers":
        return ("sampler",)
    return ("loss", entry.name) if entry.kind in LOSS_KINDS else (entry.name,)


def claims_on(place: Path, selected: Iterable[Entry], plugins: Plugins | None) -> list[Claim]:
    """Gather what the installed components say about a section.

    Args:
        place: ``("market1501",)``, ``("loss", "circle")``, ``("model",)``, ``("model", "head")`` or
            ``("sampler",)``.
        selected: the components in use; to these alone the last three belong.
        plugins: where components are looked up.
    """
    owned = [claim_of(owner) for owner in _owners(place, selected, plugins)]
    return [*owned, *_spelled_in(place, plugins)]


def component_of(config: Config, kind: str, name: str, plugins: Plugins | None = None) -> Component:
    """Return a component with the options that a configuration gives to it.

    Args:
        config: a checked configuration.
        kind: the component's kind, such as ``"datasets"``.
        name: its registered name.
        plugins: where it is looked up; the current plugins by default.

    Raises:
        UnknownNameError: no such component.
        ConfigError: the configuration was not checked, and a value is mistyped.
    """
    entry = find(kind, name, plugins)
    declared = set(spellings(entry).values())
    given = {real: value for real, value in given_to(config, entry) if real in declared}
    if takes_anything(entry):
        core = keys_of(Config, section_of(entry))
        own = _own_section(config, entry).items()
        taken = {*core, *spellings(entry)}
        given |= {key: value for key, value in own if key not in taken}
    return choose(kind, name, given, plugins)


def options_of(
    config: Config, kind: str, name: str, plugins: Plugins | None = None
) -> dict[str, Any]:
    """Return the options that a configuration gives to a component, under their real names.

    See :func:`component_of`.
    """
    return dict(component_of(config, kind, name, plugins).options)


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
    if place == ("model", "head"):
        yield from (entry for entry in selected if entry.kind in HEAD_KINDS)
        return
    if place in (("model",), ("sampler",)):
        kind = f"{place[0]}s"
        yield from (entry for entry in selected if entry.kind == kind)
        return
    for kind in LOSS_KINDS if place[0] == "loss" else NAMED_KINDS:
        for entry in entries(kind, plugins):
            if place[-1] in (entry.name, *entry.aliases):
                yield entry


def claim_of(owner: Entry) -> Claim:
    """Return what a component says about the keys of its own section."""
    try:
        keys = {key: real for key, real in spellings(owner).items() if "." not in key}
        return Claim(owner, keys, is_unlimited=takes_anything(owner))
    except UserError:  # needs an extra; told where the component is selected
        return Claim(owner, {}, is_unlimited=True)


def _spelled_in(place: Path, plugins: Plugins | None) -> Iterator[Claim]:
    section = ".".join(place)
    for kind in KINDS:
        for entry in entries(kind, plugins):
            split = [(*spelling.rpartition("."), real) for spelling, real in entry.options.items()]
            keys = {key: real for head, dot, key, real in split if dot and head == section}
            if keys:
                yield Claim(entry, keys, is_owner=False)
