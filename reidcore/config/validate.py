"""Phase two: judge the components' sections, once the run's plugins are known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from reidcore._validation import mistakes_in
from reidcore.config.layers import Layer, Path
from reidcore.config.loader import Draft
from reidcore.config.options import HeadOptions, OpenOptions
from reidcore.config.problems import Problem, keys_of, refuse, unknown_key
from reidcore.config.schema import Config
from reidcore.config.sections import (
    HEAD_KINDS,
    LOSS_KINDS,
    NAMED_KINDS,
    Claim,
    claim_of,
    claims_on,
    given_to,
    section_of,
)
from reidcore.config.selection import SELECT, choices_of_head, load_all, selected
from reidcore.config.settings import check_settings
from reidcore.errors import UserError, did_you_mean
from reidcore.registry import Entry, entries
from reidcore.registry.signature import declared_options

if TYPE_CHECKING:
    from reidcore.plugins import Plugins


def check_config(draft: Draft, plugins: Plugins | None = None) -> Config:
    """Check the chosen components, every component section and the plugins' settings.

    Args:
        draft: what :func:`read_config` read.
        plugins: the plugins of the run; the current ones by default.

    Returns:
        The configuration; ``settings`` holds each plugin's settings as its own model.

    Raises:
        ConfigError: everything that is wrong, a line each, with where it was set.
    """
    found, problems = selected(draft.config, plugins)
    in_use = list({entry.qualified_name + entry.kind: entry for _, entry in found}.values())
    problems = [*draft.problems, *problems]
    for place, own_keys, values in open_sections(draft.config):
        problems += _section_problems(place, own_keys, values, in_use, plugins)
    problems += _missing(draft.config, in_use)
    settings, mistaken = check_settings(draft.config.settings, plugins)
    refuse([*problems, *mistaken], draft.layer)
    config = draft.config.model_copy(deep=True)
    config.settings = dict(settings)
    return config


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


def check_head(head: HeadOptions, plugins: Plugins | None = None) -> None:
    """Check the section ``model.head`` alone, whose own keys are right.

    Raises:
        ConfigError: naming every component that cannot be used and every key and value that its
            components cannot take.
    """
    found, problems = load_all(choices_of_head(head), plugins)
    in_use = [entry for _, entry in found]
    own_keys = keys_of(type(head), ())
    further = dict(head.model_extra or {})
    problems += _section_problems(("model", "head"), own_keys, further, in_use, plugins)
    refuse(problems, Layer())


def _section_problems(
    place: Path,
    own_keys: Sequence[str],
    values: dict[str, Any],
    in_use: Sequence[Entry],
    plugins: Plugins | None,
) -> Iterator[Problem]:
    claims = claims_on(place, in_use, plugins)
    if not own_keys and not claims:
        yield _unclaimed(place, plugins)
        return
    known = dict.fromkeys(key for claim in claims for key in claim.keys)
    is_open = any(claim.is_unlimited for claim in claims)
    has_owner = any(claim.is_owner for claim in claims)
    if not is_open and (has_owner or place not in (("model",), ("sampler",))):
        for key in [key for key in values if key not in known]:
            without = _choices_that_take(key, plugins) if place == ("model", "head") else ""
            if without:
                yield Problem((*place, key), f"no effect without {without}")
            else:
                yield unknown_key((*place, key), [*own_keys, *known])
    for claim in claims:
        yield from _refused_by(claim, place, values)


def _choices_that_take(key: str, plugins: Plugins | None) -> str:
    """Return what would have to be chosen for a head to take a key; empty if nothing does."""
    for kind, chooser in HEAD_KINDS.items():
        takers = [each.name for each in entries(kind, plugins) if key in claim_of(each).keys]
        if takers:
            *first, last = takers
            return f"{chooser}: {' or '.join(filter(None, [', '.join(first), last]))}"
    return ""


def _refused_by(claim: Claim, place: Path, values: dict[str, Any]) -> Iterator[Problem]:
    """Find the values of a section that one component cannot take."""
    given = {key: value for key, value in values.items() if claim.is_unlimited or key in claim.keys}
    for key in [key for key in given if claim.keys.get(key) == SELECT]:
        value = given.pop(key)
        if not isinstance(value, bool):
            text = f"expected true or false, not {value!r}, for {claim.entry.label}"
            yield Problem((*place, key), text)
    shown = {real: key for key, real in claim.keys.items() if key in given}
    named = {claim.keys.get(key, key): value for key, value in given.items()}
    if not named:
        return
    try:
        claim.entry.options_model().model_validate(named)
    except UserError:  # it cannot be imported, which is told where it is selected
        return
    except ValidationError as error:
        for mistake in mistakes_in(named, error):
            first, rest = str(mistake.place[0]), mistake.place[1:]
            written = (*place, shown.get(first, first), *rest)
            if mistake.kind == "unknown":
                yield unknown_key(written, claim.keys)
            elif mistake.kind == "value":
                yield Problem(written, f"{mistake.text}, for {claim.entry.label}")


def _missing(config: Config, in_use: Sequence[Entry]) -> Iterator[Problem]:
    """Find the options without a default that a chosen component is not given."""
    for entry in in_use:
        given = {real for real, _ in given_to(config, entry)}
        for name, parameter in declared_options(entry).items():
            if parameter.default is parameter.empty and name not in given:
                text = f"a value is required, for {entry.label}"
                yield Problem((*section_of(entry), name), text)


def _unclaimed(place: Path, plugins: Plugins | None) -> Problem:
    kinds = LOSS_KINDS if len(place) > 1 else NAMED_KINDS
    known = keys_of(Config, place[:-1])
    known += [entry.name for kind in kinds for entry in entries(kind, plugins)]
    near = did_you_mean(place[-1], known)
    what = "no installed component has such a section."
    hint = near or "Is its plugin not installed?"
    return Problem(place, f"{what} {hint} See: reidcore ls")
