"""Phase two: judge the components' sections, once the run's plugins are known.

The core's keys, the names of components and the names of sections are judged first, and nothing is
imported for that: a mistyped key is told at once. Components that have to be imported are asked
what they take when all that is right, and before any of them is made.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from pydantic import BaseModel, ValidationError

from reidcore._validation import mistakes_in
from reidcore._wording import joined
from reidcore.config.components import (
    HEAD_KINDS,
    LOSS_KINDS,
    NAMED_KINDS,
    SELECT,
    Choice,
    choices,
    choices_of_head,
    chosen_protocol,
    given_to,
    section_of,
)
from reidcore.config.layers import Layer, Path
from reidcore.config.loader import Draft, read_config
from reidcore.config.options import HeadOptions, OpenOptions
from reidcore.config.problems import Problem, from_validation, keys_of, refuse, unknown_key
from reidcore.config.schema import Config
from reidcore.errors import ConfigError, PluginDefectError, UserError, did_you_mean, quoted
from reidcore.plugins import Plugins, current_plugins, describe
from reidcore.plugins.advice import letting_in
from reidcore.registry import KINDS, Entry, entries, settings_schemas
from reidcore.registry.lookup import is_registered
from reidcore.registry.named import ROOT, NamedDataset
from reidcore.registry.signature import declared_options, numbers_in, spellings, takes_anything

_HEAD: Path = ("model", "head")


def load_config(
    source: str | FilePath | Mapping[str, Any] | None = None,
    overrides: Sequence[str] = (),
    flags: Mapping[str, Any] | None = None,
    plugins: Plugins | None = None,
) -> Config:
    """Read and check a configuration; see :func:`read_config` for the arguments.

    Raises:
        ConfigError: what is wrong with it, a line each.
        UnknownNameError: ``source`` is neither a file nor a recipe.
    """
    return check_config(read_config(source, overrides, flags, plugins), plugins)


def check_config(draft: Draft, plugins: Plugins | None = None) -> Config:
    """Check the chosen components, every component section and the plugins' settings.

    Args:
        draft: what :func:`read_config` read.
        plugins: the plugins of the run; the current ones by default.

    Returns:
        The configuration; ``settings`` holds each plugin's settings as its own model.

    Raises:
        ConfigError: what is wrong, a line each, with where it was set.
    """
    settings, mistaken = _check_settings(draft.config.settings, plugins)
    for may_import in (False, True):
        problems = _problems(draft.config, plugins, may_import)
        refuse([*draft.problems, *problems, *mistaken], draft.layer)
    config = draft.config.model_copy(deep=True)
    config.settings = dict(settings)
    return config


def check_head(head: HeadOptions, plugins: Plugins | None = None) -> None:
    """Check the section ``model.head`` alone, whose own keys are right.

    Raises:
        ConfigError: naming every component that cannot be used and every key and value that its
            components cannot take.
    """
    in_use, problems = _find_all(choices_of_head(head), plugins, may_import=True)
    claims = claims_on(_HEAD, in_use, plugins)
    further = dict(head.model_extra or {})
    problems += _section_problems(_HEAD, keys_of(type(head), ()), further, claims, plugins)
    refuse(problems, Layer())


def _problems(config: Config, plugins: Plugins | None, may_import: bool) -> Iterator[Problem]:
    """Find the mistakes around components; those to be imported are left alone unless they may."""
    wanted = list(choices(config))
    try:
        protocol = chosen_protocol(config, plugins)
    except ConfigError as error:
        yield Problem(("test", "protocol"), str(error))
    else:
        wanted += [Choice(("protocols",), protocol, ("test", "protocol"))] if protocol else []
    try:
        config.train.check_warmup(0 if config.test.evaluate else config.train.max_epoch)
    except ConfigError as error:
        yield Problem(("train", "warmup_epochs"), str(error))
    yield from _without_plugin(config, plugins)
    in_use, unusable = _find_all(wanted, plugins, may_import)
    yield from unusable
    for place, own_keys, values in open_sections(config):
        # What is written for a head is told with all other mistakes: there are few such keys.
        claims = claims_on(place, in_use, plugins, may_import or place == _HEAD)
        yield from _section_problems(place, own_keys, values, claims, plugins)
    yield from _missing(config, [entry for entry in in_use if may_import or entry.is_at_hand])
    for name in config.data.datasets:
        yield from _named_dataset_problems(config, name, plugins, may_import)


def _without_plugin(config: Config, plugins: Plugins | None) -> Iterator[Problem]:
    """Find keys that the bundled plugin ``training`` would act on, and that ask for something."""
    if any(plugin.name == "training" for plugin in (plugins or current_plugins()).active):
        return
    train = config.train
    keeps_memory = train.keep_memory and config.origin("train.keep_memory").is_written
    asked = {
        "speed": train.speed != "exact",
        "compile": train.compile != "off",
        "keep_memory": keeps_memory,  # on by default
    }
    for key in filter(asked.get, asked):
        text = f"no active plugin follows it; the bundled plugin 'training' does. {letting_in()}"
        yield Problem(("train", key), text)


def _find_all(
    wanted: Iterable[Choice], plugins: Plugins | None, may_import: bool
) -> tuple[list[Entry], list[Problem]]:
    """Find components, and import them if they may be; those that cannot be used are problems."""
    found: dict[tuple[str, str], Entry] = {}
    problems = []
    for choice in wanted:
        try:
            entry = choice.find(plugins)
            if may_import:
                entry.load()
        except UserError as error:
            problems.append(Problem(choice.place, str(error)))
        else:
            found[entry.kind, entry.qualified_name] = entry
    return list(found.values()), problems


def open_sections(config: Config) -> Iterator[tuple[Path, list[str], dict[str, Any]]]:
    """Yield the place, the core's own keys and the further keys of each section that has any."""

    def walk(section: BaseModel, place: Path) -> Iterator[tuple[Path, list[str], dict[str, Any]]]:
        holds_sections = place in ((), ("loss",))
        own = keys_of(type(section), ())
        extra = dict(section.model_extra or {})
        if holds_sections:
            yield from (((*place, name), [], values) for name, values in extra.items())
        elif extra:
            yield place, own, extra
        for name in own:
            inner = getattr(section, name)
            if isinstance(inner, OpenOptions):
                yield from walk(inner, (*place, name))

    yield from walk(config, ())


# -- whose keys are whose --------------------------------------------------------------------------


@dataclass(frozen=True)
class Claim:
    """What one installed component says about the keys of a section.

    Attributes:
        entry: the component.
        keys: the keys it takes there -> the options they stand for.
        is_owner: whether the section is the component's own; others spell single keys of it.
        is_unlimited: whether it takes any key, or was not asked.
        was_asked: whether it says which values it takes.
    """

    entry: Entry
    keys: Mapping[str, str]
    is_owner: bool = True
    is_unlimited: bool = False
    was_asked: bool = True


def claims_on(
    place: Path, selected: Sequence[Entry], plugins: Plugins | None, may_import: bool = True
) -> list[Claim]:
    """Gather what the installed components say about a section.

    Args:
        place: ``("market1501",)``, ``("loss", "circle")``, ``("model",)``, ``("model", "head")`` or
            ``("sampler",)``.
        selected: the components in use; to these alone the last three belong.
        plugins: where components are looked up.
        may_import: whether components are imported to be asked.
    """
    owned = [_own_claim(owner, may_import) for owner in _owners(place, selected, plugins)]
    return [*owned, *_spelled_in(place, plugins, may_import)]


def _owners(place: Path, selected: Sequence[Entry], plugins: Plugins | None) -> Iterator[Entry]:
    if place == _HEAD:
        yield from (entry for entry in selected if entry.kind in HEAD_KINDS)
        return
    if place in (("model",), ("sampler",)):
        kind = f"{place[0]}s"
        yield from (entry for entry in selected if entry.kind == kind)
        return
    for kind in LOSS_KINDS if place[0] == "loss" else NAMED_KINDS:
        # A family lists none of its members: those in use have sections too, such as timm/lamb.
        members = [entry for entry in selected if entry.kind == kind and entry.member]
        for entry in [*entries(kind, plugins), *members]:
            if place[-1] in (entry.name, *entry.aliases):
                yield entry


def _own_claim(owner: Entry, may_import: bool) -> Claim:
    nothing = Claim(owner, {}, is_unlimited=True, was_asked=False)
    if not (may_import or owner.is_at_hand):
        return nothing
    try:
        keys = {key: real for key, real in spellings(owner).items() if "." not in key}
        return Claim(owner, keys, is_unlimited=takes_anything(owner))
    except (UserError, PluginDefectError):  # needs an extra; told where the component is selected
        return nothing


def _spelled_in(place: Path, plugins: Plugins | None, may_import: bool) -> Iterator[Claim]:
    section = ".".join(place)
    for kind in KINDS:
        for entry in entries(kind, plugins):
            split = [(*spelling.rpartition("."), real) for spelling, real in entry.options.items()]
            keys = {key: real for head, dot, key, real in split if dot and head == section}
            if keys:
                asked = may_import or entry.is_at_hand
                yield Claim(entry, keys, is_owner=False, was_asked=asked)


# -- what is wrong with a section ------------------------------------------------------------------


def _section_problems(
    place: Path,
    own_keys: Sequence[str],
    values: dict[str, Any],
    claims: Sequence[Claim],
    plugins: Plugins | None,
) -> Iterator[Problem]:
    if not own_keys and not claims:
        yield _unclaimed(place, plugins)
        return
    known = dict.fromkeys(key for claim in claims for key in claim.keys)
    is_open = any(claim.is_unlimited for claim in claims)
    has_owner = any(claim.is_owner for claim in claims)
    if not is_open and (has_owner or place not in (("model",), ("sampler",))):
        for key in [key for key in values if key not in known]:
            without = _choices_that_take(key, plugins) if place == _HEAD else ""
            if without:
                yield Problem((*place, key), f"no effect without {without}")
            else:
                yield unknown_key((*place, key), [*own_keys, *known])
    for claim in claims:
        if claim.was_asked:
            yield from _refused_by(claim, place, values)


def _choices_that_take(key: str, plugins: Plugins | None) -> str:
    """Return what would have to be chosen for a head to take a key; empty if nothing does."""
    for kind, chooser in HEAD_KINDS.items():
        claims = [_own_claim(each, may_import=True) for each in entries(kind, plugins)]
        takers = [claim.entry.name for claim in claims if key in claim.keys]
        if takers:
            return f"{chooser}: {joined(takers, 'or')}"
    return ""


def _refused_by(claim: Claim, place: Path, values: dict[str, Any]) -> Iterator[Problem]:
    """Find the values of a section that one component cannot take."""
    given = {key: value for key, value in values.items() if claim.is_unlimited or key in claim.keys}
    for key in [key for key in given if claim.keys.get(key) == SELECT]:
        value = given.pop(key)
        if not isinstance(value, bool):
            text = f"expected true or false, not {quoted(value)}"
            yield Problem((*place, key), text, claim.entry.label)
    shown = {real: key for key, real in claim.keys.items() if key in given}
    named = {claim.keys.get(key, key): value for key, value in given.items()}
    if not named:
        return
    try:
        claim.entry.options_model().model_validate(named)
    except (
        UserError,
        PluginDefectError,
    ):  # it cannot be imported, which is told where it is selected
        return
    except ValidationError as error:
        for mistake in mistakes_in(named, error):
            first, rest = str(mistake.place[0]), mistake.place[1:]
            written = (*place, shown.get(first, first), *rest)
            if mistake.kind == "unknown":
                yield unknown_key(written, claim.keys)
            elif mistake.kind == "value":
                yield Problem(written, mistake.text, claim.entry.label)


def _missing(config: Config, in_use: Sequence[Entry]) -> Iterator[Problem]:
    """Find the options without a default that a chosen component is not given."""
    values = config.model_dump()
    for entry in in_use:
        given = {real for real, _ in given_to(values, entry)}
        for name, parameter in declared_options(entry).items():
            if parameter.default is parameter.empty and name not in given:
                yield Problem((*section_of(entry), name), "a value is required", entry.label)


def _unclaimed(place: Path, plugins: Plugins | None) -> Problem:
    is_of_loss = len(place) > 1
    kinds, others = (LOSS_KINDS, NAMED_KINDS) if is_of_loss else (NAMED_KINDS, LOSS_KINDS)
    if any(is_registered(kind, place[-1], plugins) for kind in others):
        right = place[-1] if is_of_loss else f"loss.{place[-1]}"
        return Problem(place, f"no such section is here. Write {right}.")
    known = keys_of(Config, place[:-1])
    known += [entry.name for kind in kinds for entry in entries(kind, plugins)]
    near = did_you_mean(place[-1], known)
    what = "no installed component has such a section."
    hint = near or "Is its plugin not installed?"
    return Problem(place, f"{what} {hint} See: reidcore ls")


def _named_dataset_problems(
    config: Config, name: str, plugins: Plugins | None, may_import: bool
) -> Iterator[Problem]:
    """Find the mistakes of one dataset in ``data.datasets``."""
    named = NamedDataset.of(config.data.datasets, name)
    assert named is not None
    place = ("data", "datasets", name)
    if is_registered("datasets", name, plugins):
        yield Problem(place, "a registered dataset has this name: choose another")
    found, problems = _find_all([Choice(("datasets",), named.kind, place)], plugins, may_import)
    yield from problems
    for entry in found:
        if not isinstance(named.root(entry), str):
            yield Problem((*place, named.kind, ROOT), "expected a folder below data.root")
        claims = [_own_claim(entry, may_import)]
        inside = (*place, named.kind)
        yield from _section_problems(inside, [ROOT], named.options(entry), claims, plugins)


# -- plugins' settings -----------------------------------------------------------------------------


def _check_settings(
    given: dict[str, Any], plugins: Plugins | None = None
) -> tuple[dict[str, BaseModel], list[Problem]]:
    """Read each plugin's settings into the model that it registered.

    A plugin that is not mentioned gets the defaults of its schema.

    Returns:
        Plugin name -> its settings, and the mistakes found.

    Raises:
        PluginDefectError: a plugin's schema is no pydantic model, or fails.
    """
    schemas = settings_schemas(plugins)
    problems = [
        _unclaimed_settings(name, schemas, plugins) for name in given if name not in schemas
    ]
    checked = {}
    for name, schema in schemas.items():
        if not (isinstance(schema, type) and issubclass(schema, BaseModel)):
            raise PluginDefectError(
                f"the settings schema of plugin {name!r} is no pydantic model: {quoted(schema)}"
            )
        values = {} if given.get(name) is None else given[name]
        try:
            checked[name] = schema.model_validate(values)
        except ValidationError as error:
            problems += from_validation(error, values, schema, ("settings", name))
        except Exception as error:
            raise PluginDefectError(
                f"plugin {name!r} cannot read its settings: {describe(error)}"
            ) from error
        else:
            problems += _infinite_settings(name, values, schema)
    return checked, problems


def _infinite_settings(
    name: str, values: Mapping[str, Any], schema: type[BaseModel]
) -> Iterator[Problem]:
    """Find the numbers that are not finite under keys that do not allow it in so many words."""
    for key, value in values.items():
        metadata = schema.model_fields[key].metadata if key in schema.model_fields else []
        is_allowed = any(getattr(rule, "allow_inf_nan", False) for rule in metadata)
        if is_allowed or schema.model_config.get("allow_inf_nan"):
            continue
        if any(not math.isfinite(number) for number in numbers_in(value)):
            yield Problem(("settings", name, key), f"expected a finite number, not {quoted(value)}")


def _unclaimed_settings(name: str, schemas: dict[str, Any], plugins: Plugins | None) -> Problem:
    active = {plugin.name for plugin in (plugins or current_plugins()).active}
    if name in active:
        text = f"the plugin {name!r} takes no settings"
    else:
        near = did_you_mean(name, {*schemas, *active})
        text = f"no active plugin is named {name!r}. {near or 'Is it not installed?'} "
        text += "See: reidcore plugins"
    return Problem(("settings", name), text)
