"""Options of the command line that the rest of a configuration makes void, told by name.

A file may have options in store for what it does not choose, as Torchreid's own have; who writes
one on the command line means it to act. That an option of a component needs another one it says by
its type: ``Annotated[int, Field(json_schema_extra={"needs": "jpm"})]``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from reidcore.config import Config, chosen_protocol
from reidcore.errors import UnknownNameError
from reidcore.plugins import Plugins
from reidcore.registry import Entry, NamedDataset, entries, find

_log = logging.getLogger(f"reidcore.{__name__}")

_LOSSES = ("losses", "engines")
_CHOOSERS = {
    "datasets": "the run's data",
    "transforms": "data.transforms",
    "optimizers": "train.optim",
    "schedulers": "train.lr_scheduler",
    "protocols": "test.protocol",
}
"""Kinds of components whose options stand in sections at the top -> what chooses them."""

_CHOOSES_ITSELF = "select"
"""What an option stands for that is a switch for its component."""


class Unused(NamedTuple):
    """A key without effect, and why."""

    key: str
    reason: str


class _Need(NamedTuple):
    """What must be so for keys of the core to act, and how it is told where it is not."""

    is_met: Callable[[Config], Any]
    reason: str
    keys: tuple[str, ...]


_NEEDS = (
    _Need(
        lambda config: config.train.warmup_epochs or config.train.warmup_steps,
        "there is no train.warmup_epochs or train.warmup_steps",
        ("train.warmup_factor",),
    ),
    _Need(
        lambda config: config.train.staged_lr,
        "train.staged_lr is off",
        ("train.base_lr_mult",),
    ),
    _Need(
        lambda config: config.train.staged_lr or "new_layers" in config.train.groups,
        "train.staged_lr is off, and train.groups has no new_layers",
        ("train.new_layers",),
    ),
    _Need(
        lambda config: config.train.fixbase_epoch,
        "train.fixbase_epoch is 0",
        ("train.open_layers",),
    ),
    _Need(lambda config: config.data.cache != "off", "data.cache is off", ("data.cache_gb",)),
    _Need(
        lambda config: config.data.type == "video",
        "data.type is image",
        ("video.seq_len", "video.sample_method", "video.pooling_method"),
    ),
    _Need(
        lambda config: config.data.load_train_targets,
        "data.load_train_targets is off",
        ("sampler.train_sampler_t",),
    ),
    _Need(
        lambda config: config.test.visrank,
        "test.visrank is off",
        ("test.visrank_topk", "test.visrank_queries", "test.visrank_order"),
    ),
    _Need(
        lambda config: config.test.eval_freq > 0,
        "the only test is at the end, by test.eval_freq",
        ("test.start_eval",),
    ),
    _Need(
        lambda config: config.test.select_on == "validation",
        "test.select_on is not validation",
        ("test.validation_share",),
    ),
    _Need(
        lambda config: config.test.select_on != "none",
        "test.select_on is none",
        ("test.select_metric",),
    ),
)


def unused_options(config: Config, plugins: Plugins) -> list[Unused]:
    """Return the keys that the command line sets and nothing of the run reads.

    Args:
        config: a checked configuration.
        plugins: where its components are looked up.
    """
    use = _Use.of(config, plugins)
    found = [*_of_core(config, use), *_of_components(config, use)]
    found += _void_in_components(config, use)
    for name, section in config.sections.items():
        found += use.unused_in((name,), section, tuple(_CHOOSERS))
    for name, section in (config.loss.model_extra or {}).items():
        found += use.unused_in(("loss", name), section, _LOSSES)
    return [each for each in found if _is_on_command_line(each.key, config)]


def tell_unused_options(config: Config, plugins: Plugins) -> None:
    """Warn of each key that the command line sets in vain."""
    for key, reason in unused_options(config, plugins):
        _log.warning("%s has no effect: %s", config.origin(key).text or key, reason)


def _is_on_command_line(key: str, config: Config) -> bool:
    """Say whether the command line sets a key; ``video=null`` sets none, and is of all in it."""
    origin, above = config.origin(key), config.origin(key.rpartition(".")[0])
    return origin.kind in ("flag", "override") and origin is not above


@dataclass(frozen=True)
class _Use:
    """The components that a run uses.

    Attributes:
        plugins: where components are looked up.
        chosen: kind -> those in use.
        choosers: kind -> what chooses them.
    """

    plugins: Plugins
    chosen: Mapping[str, Sequence[Entry]]
    choosers: Mapping[str, str]

    @classmethod
    def of(cls, config: Config, plugins: Plugins) -> _Use:
        """Look up what a configuration chooses."""
        names = {
            "models": [config.model.name],
            "samplers": _sampler_names(config),
            "datasets": list(_dataset_kinds(config)),
            "transforms": config.data.transforms,
            "optimizers": [config.train.optim],
            "schedulers": [config.train.lr_scheduler],
            "protocols": [chosen_protocol(config, plugins) or "market1501"],
        }
        chosen = {
            kind: [find(kind, name, plugins) for name in given] for kind, given in names.items()
        }
        chosen["losses"], chosen["engines"] = _losses_and_engines(config, plugins)
        loss = "loss.terms" if config.loss.terms else "loss.name"
        return cls(plugins, chosen, {**_CHOOSERS, **dict.fromkeys(_LOSSES, loss)})

    def unused_in(
        self, place: tuple[str, ...], section: Mapping[str, Any], kinds: Sequence[str]
    ) -> Iterator[Unused]:
        """Yield the keys of a section that no component in use reads.

        Args:
            place: of the section.
            section: what it holds.
            kinds: of the components that it may be of.
        """
        used = [each for kind in kinds for each in self.chosen[kind] if _owns(each, place[-1])]
        for key in section:
            dotted = ".".join((*place, key))
            is_read = any(_reads(entry, entry.options.get(key, key)) for entry in used)
            if not (is_read or dotted in self.spelled or self._is_switch(dotted)):
                yield Unused(dotted, self._reason(place[-1], kinds))

    @cached_property
    def spelled(self) -> frozenset[str]:
        """The keys, dotted, that components in use read beside their own sections."""
        return frozenset(
            key for each in self.chosen.values() for entry in each for key in entry.options
        )

    def _is_switch(self, key: str) -> bool:
        protocols = entries("protocols", self.plugins)
        return any(entry.options.get(key) == _CHOOSES_ITSELF for entry in protocols)

    def _reason(self, section: str, kinds: Sequence[str]) -> str:
        for kind in kinds:
            if any(_owns(entry, section) for entry in entries(kind, self.plugins)):
                names = ", ".join(entry.name for entry in self.chosen[kind])
                return f"{self.choosers[kind]} is {names or 'none'}"
        return "no component in use reads it"


def _owns(entry: Entry, section: str) -> bool:
    return section in (entry.name, *entry.aliases)


def _dataset_kinds(config: Config) -> Iterator[str]:
    """Yield the registered datasets that a run reads, also under names of the run's own."""
    own = config.data.datasets
    for name in dict.fromkeys([*config.data.sources, *config.data.targets]):
        named = NamedDataset.of(own, name)
        yield named.kind if named else name


def _sampler_names(config: Config) -> list[str]:
    sampling = config.sampler
    further = [sampling.train_sampler_t] if config.data.load_train_targets else []
    return [sampling.train_sampler, *further]


def _losses_and_engines(config: Config, plugins: Plugins) -> tuple[list[Entry], list[Entry]]:
    """Return the losses that a run minimises, and its engine where that has a name of its own."""
    try:
        named, engines = [find("losses", config.loss.name, plugins)], []
    except UnknownNameError:
        named, engines = [], [find("engines", config.loss.name, plugins)]
    terms = [find("losses", name, plugins) for name in config.loss.terms or ()]
    return terms or named, engines


def _of_core(config: Config, use: _Use) -> Iterator[Unused]:
    for need in _NEEDS:
        if not need.is_met(config):
            yield from (Unused(key, need.reason) for key in need.keys if key not in use.spelled)


def _of_components(config: Config, use: _Use) -> Iterator[Unused]:
    """Yield the core's keys that the components in use do not read."""
    for kind, section, chooser, options in (
        ("samplers", "sampler", "train_sampler", ("num_instances", "num_cams", "num_datasets")),
        ("schedulers", "train", "lr_scheduler", ("stepsize", "gamma")),
    ):
        readers = use.chosen[kind]
        for option in options:
            if not any(_reads(entry, option) for entry in readers):
                yield Unused(f"{section}.{option}", f"{section}.{chooser} is {readers[0].name}")
    if config.loss.terms and not use.chosen["engines"]:
        yield Unused("loss.name", f"loss.terms is {', '.join(config.loss.terms)}")


def _reads(entry: Entry, option: str) -> bool:
    parameters = entry.parameters()
    return option in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def _void_in_components(config: Config, use: _Use) -> Iterator[Unused]:
    """Yield the options that another one makes void, in each of the components in use."""
    values = config.model_dump()
    reasons: dict[str, list[str]] = {}  # of a key, in each component; empty where it acts
    for kind, used in use.chosen.items():
        for entry in used:
            place = _place_of(kind, entry)
            given = list(_given_to(entry, place, values))
            fields = entry.options_model().model_fields
            chosen = {real: value for _, real, value in given}
            for key, real, _ in given:
                need = _need_of(fields.get(real))
                value = chosen.get(need, fields[need].default) if need in fields else True
                is_void = value in (False, None, "none")  # and 0, which equals false
                reasons.setdefault(key, []).append(
                    f"{place}.{need} is {value or 'off'}" if is_void else ""
                )
    yield from (Unused(key, found[0]) for key, found in reasons.items() if all(found))


def _place_of(kind: str, entry: Entry) -> str:
    """Return the section of a component's options, dotted."""
    if kind in ("models", "samplers"):
        return kind.removesuffix("s")
    return f"loss.{entry.name}" if kind in _LOSSES else entry.name


def _given_to(
    entry: Entry, place: str, values: Mapping[str, Any]
) -> Iterator[tuple[str, str, Any]]:
    """Yield the keys that a component is given, dotted, with their options and values."""
    spellings = {f"{place}.{name}": name for name in entry.parameters()}
    for key, real in entry.options.items():
        spellings[key if "." in key else f"{place}.{key}"] = real
    for key, real in spellings.items():
        found: Any = values
        *sections, name = key.split(".")
        for section in sections:
            found = found.get(section) if isinstance(found, Mapping) else None
        if isinstance(found, Mapping) and name in found:
            yield key, real, found[name]


def _need_of(field: Any) -> str:
    """Return the option that an option needs; empty if none."""
    extra = getattr(field, "json_schema_extra", None)
    return str(extra.get("needs", "")) if isinstance(extra, Mapping) else ""
