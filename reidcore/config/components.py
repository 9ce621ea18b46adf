"""Which components a configuration chooses, and the options that it gives to each."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reidcore._validation import Place, at
from reidcore.config.problems import keys_of
from reidcore.config.schema import Config
from reidcore.errors import ConfigError
from reidcore.registry import Component, Entry, entries, find
from reidcore.registry.component import read_options
from reidcore.registry.lookup import is_registered
from reidcore.registry.named import NamedDataset
from reidcore.registry.signature import spellings, takes_anything

if TYPE_CHECKING:
    from reidcore.config.layers import Path
    from reidcore.config.options import HeadOptions
    from reidcore.plugins import Plugins

# A section named after the component, at the top level: ``market1501: {...}``.
NAMED_KINDS = ("datasets", "transforms", "optimizers", "schedulers", "protocols")
# A section named after the component, under ``loss``.
LOSS_KINDS = ("losses", "engines")
# The keys of ``model.head`` that name a component, by its kind.
HEAD_KINDS = {"poolings": "pool", "classifiers": "classifier"}

# A component whose options map a configuration key to this name is chosen by that key:
# options={"cuhk03.use_metric_cuhk03": "select"} on a protocol makes the key a switch for it.
SELECT = "select"


@dataclass(frozen=True)
class Choice:
    """A name in the configuration that stands for a component.

    Args:
        kinds: the kinds of component it may be, in the order they are tried.
        name: the name as written.
        place: the key that holds it.
        own: names of the configuration's own that might be meant.
    """

    kinds: tuple[str, ...]
    name: str
    place: Place
    own: Collection[str] = ()

    def find(self, plugins: Plugins | None) -> Entry:
        """Return the component.

        Raises:
            UserError: it is unknown, ambiguous or broken.
        """
        *first, last = self.kinds
        for kind in first:
            if is_registered(kind, self.name, plugins):
                return find(kind, self.name, plugins)
        return find(last, self.name, plugins, self.own)


def choices(config: Config) -> Iterator[Choice]:
    """Name the components that a run with this configuration uses, save its protocol."""
    yield Choice(("models",), config.model.name, ("model", "name"))
    yield from choices_of_head(config.model.head)
    own = config.data.datasets
    for key in ("sources", "targets"):
        for name in (name for name in getattr(config.data, key) if name not in own):
            yield Choice(("datasets",), name, ("data", key), own)
    for name in config.data.transforms:
        yield Choice(("transforms",), name, ("data", "transforms"))
    yield Choice(("samplers",), config.sampler.train_sampler, ("sampler", "train_sampler"))
    if config.data.load_train_targets:
        yield Choice(("samplers",), config.sampler.train_sampler_t, ("sampler", "train_sampler_t"))
    yield Choice(("optimizers",), config.train.optim, ("train", "optim"))
    yield Choice(("schedulers",), config.train.lr_scheduler, ("train", "lr_scheduler"))
    yield Choice(("losses", "engines"), config.loss.name, ("loss", "name"))
    for name in config.loss.terms or ():
        yield Choice(("losses",), name, ("loss", "terms"))


def choices_of_head(head: HeadOptions) -> Iterator[Choice]:
    """Name the pooling and the classifier of a head."""
    for kind, key in HEAD_KINDS.items():
        if (name := getattr(head, key)) is not None:
            yield Choice((kind,), name, ("model", "head", key))


def loss_weights(config: Config, plugins: Plugins | None = None) -> dict[str, float]:
    """Return the losses and their weights; none where ``loss.name`` is an engine's."""
    if config.loss.terms:
        return config.loss.terms
    name = config.loss.name
    return {name: 1.0} if is_registered("losses", name, plugins) else {}


def chosen_protocol(config: Config, plugins: Plugins | None = None) -> str | None:
    """Return the protocol that ``test.protocol`` names or a protocol's own switch turns on.

    Returns:
        Its name, or None where the configuration leaves the choice to the engine.

    Raises:
        ConfigError: two protocols are chosen.
    """
    chosen = {} if config.test.protocol is None else {"test.protocol": config.test.protocol}
    values = config.model_dump()
    for entry in entries("protocols", plugins):
        for key, real in entry.options.items():
            if real == SELECT and _at(values, tuple(key.split("."))) is True:
                chosen[key] = entry.name
    if len(set(chosen.values())) > 1:
        listed = " and ".join(f"{key} chooses {name!r}" for key, name in chosen.items())
        raise ConfigError(f"two protocols are chosen: {listed}", "Keep one.")
    return next(iter(chosen.values()), None)


def section_of(entry: Entry) -> Path:
    """Return the place of a component's own options."""
    if entry.kind == "models":
        return ("model",)
    if entry.kind in HEAD_KINDS:
        return ("model", "head")
    if entry.kind == "samplers":
        return ("sampler",)
    return ("loss", entry.name) if entry.kind in LOSS_KINDS else (entry.name,)


def component_of(config: Config, kind: str, name: str, plugins: Plugins | None = None) -> Component:
    """Return a component with the options that a configuration gives to it.

    Args:
        config: a checked configuration.
        kind: the component's kind, such as ``"datasets"``.
        name: its registered name, or one in ``data.datasets``.
        plugins: where it is looked up; the current plugins by default.

    Raises:
        UnknownNameError: no such component.
        ConfigError: the configuration was not checked, and a value is mistyped.
    """
    datasets = config.data.datasets if kind == "datasets" else {}
    named = NamedDataset.of(datasets, name)
    entry = find(kind, named.kind if named else name, plugins, datasets)
    known = spellings(entry)
    declared = set(known.values())
    values = config.model_dump()
    given = {real: value for real, value in given_to(values, entry) if real in declared}
    if takes_anything(entry):
        taken = {*keys_of(Config, section_of(entry)), *known}
        own = _own_section(values, entry).items()
        given |= {key: value for key, value in own if key not in taken}
    if named:
        entry, given = named.entry(entry), given | named.options(entry)
    return Component(entry, read_options(entry, given))


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


def given_to(values: Mapping[str, Any], entry: Entry) -> Iterator[tuple[str, Any]]:
    """Yield the real name and the value of every key meant for a component, later ones winning.

    Args:
        values: a configuration's, as nested mappings.
        entry: the component.
    """
    for spelling, real in entry.options.items():
        value = _at(values, tuple(spelling.split("."))) if "." in spelling else _NOTHING
        if value is not _NOTHING:
            yield real, value
    for key, value in _own_section(values, entry).items():
        yield entry.options.get(key, key), value


def _own_section(values: Mapping[str, Any], entry: Entry) -> dict[str, Any]:
    *above, name = section_of(entry)
    spelled = (*reversed(entry.aliases), name) if name == entry.name else (name,)
    sections = [_at(values, (*above, spelling)) for spelling in spelled]
    return {key: value for own in sections if isinstance(own, dict) for key, value in own.items()}


_NOTHING = object()


def _at(values: Any, place: Place) -> Any:
    try:
        return at(values, place)
    except (KeyError, TypeError):
        return _NOTHING
