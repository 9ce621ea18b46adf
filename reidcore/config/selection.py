"""The components that a configuration chooses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reidcore._validation import Place, at
from reidcore.config.problems import Problem
from reidcore.config.sections import HEAD_KINDS
from reidcore.errors import ConfigError, UserError
from reidcore.registry import Entry, entries, find

if TYPE_CHECKING:
    from reidcore.config.options import HeadOptions
    from reidcore.config.schema import Config
    from reidcore.plugins import Plugins

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
    """

    kinds: tuple[str, ...]
    name: str
    place: Place

    def find(self, plugins: Plugins | None) -> Entry:
        """Return the component.

        Raises:
            UserError: it is unknown, ambiguous or broken.
        """
        *first, last = self.kinds
        for kind in first:
            if any(self.name in names_of(entry) for entry in entries(kind, plugins)):
                return find(kind, self.name, plugins)
        return find(last, self.name, plugins)


def names_of(entry: Entry) -> tuple[str, ...]:
    """Return all names that a component answers to."""
    return (entry.name, entry.qualified_name, *entry.aliases)


def choices(config: Config) -> Iterator[Choice]:
    """Name the components that a run with this configuration uses, save its protocol."""
    yield Choice(("models",), config.model.name, ("model", "name"))
    yield from choices_of_head(config.model.head)
    for key in ("sources", "targets"):
        for name in getattr(config.data, key):
            yield Choice(("datasets",), name, ("data", key))
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
    is_loss = any(name in names_of(entry) for entry in entries("losses", plugins))
    return {name: 1.0} if is_loss else {}


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
            if real == SELECT and _is_on(values, key):
                chosen[key] = entry.name
    if len(set(chosen.values())) > 1:
        listed = " and ".join(f"{key} chooses {name!r}" for key, name in chosen.items())
        raise ConfigError(f"two protocols are chosen: {listed}", "Keep one.")
    return next(iter(chosen.values()), None)


def selected(
    config: Config, plugins: Plugins | None = None
) -> tuple[list[tuple[Choice, Entry]], list[Problem]]:
    """Find and import every chosen component; those that cannot be used are problems."""
    problems = []
    wanted = list(choices(config))
    try:
        protocol = chosen_protocol(config, plugins)
    except ConfigError as error:
        problems.append(Problem(("test", "protocol"), str(error)))
    else:
        wanted += [Choice(("protocols",), protocol, ("test", "protocol"))] if protocol else []
    found, unusable = load_all(wanted, plugins)
    return found, [*problems, *unusable]


def load_all(
    wanted: Iterable[Choice], plugins: Plugins | None = None
) -> tuple[list[tuple[Choice, Entry]], list[Problem]]:
    """Find and import components; those that cannot be used are problems."""
    found: list[tuple[Choice, Entry]] = []
    problems = []
    for choice in wanted:
        try:
            entry = choice.find(plugins)
            entry.load()
        except UserError as error:
            problems.append(Problem(choice.place, str(error)))
        else:
            found.append((choice, entry))
    return found, problems


def _is_on(values: object, key: str) -> bool:
    try:
        return at(values, tuple(key.split("."))) is True
    except (KeyError, TypeError):
        return False
