"""Which steps there are, and in which order a list of them may be taken."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

from torch import Tensor

from reid_plugins_standard.test_time.setting import Setting
from reidcore.errors import ConfigError, quoted
from reidcore.evaluation import Distances
from reidcore.plugins import Plugins
from reidcore.registry import Component, Entry, declared_options, published, read_options, select

KIND = "test-time steps"
StepOptions = str | Mapping[str, Mapping[str, Any] | None]
"""A step's name, or ``{name: options}``."""

Measure = Callable[[Tensor, Tensor], Distances]
_METHODS = ("extract", "transform", "measure")


@dataclass(frozen=True)
class Step:
    """A step that was made.

    Attributes:
        name: as it is registered.
        options: all of them, those that were not given with their defaults.
        made: the object with the methods.
    """

    name: str
    options: Mapping[str, Any]
    made: Any

    def has(self, method: str) -> bool:
        """Tell whether the step has a method."""
        return callable(getattr(self.made, method, None))

    @property
    def is_on_images(self) -> bool:
        """Whether it works on images and on nothing else."""
        return self.has("extract") and not self.has("transform")

    @property
    def learns(self) -> bool:
        """Whether it says, by ``learns = True``, that it needs training images."""
        return bool(getattr(self.made, "learns", False))


class Pipeline:
    """Steps in the order in which they are taken.

    Those up to the last one that works on images alone surround the model; the next ones transform
    the features of a whole test; one that gives distances is the last.

    Args:
        steps: names, or names with options.
        plugins: where the steps are looked up; the current ones by default.

    Raises:
        UserError: a step or an option is unknown, a value is wrong, or the order makes no sense.
    """

    def __init__(self, steps: Sequence[StepOptions], plugins: Plugins | None = None) -> None:
        known = published(KIND, "reid_register_test_time", plugins)
        made = [_made(each, known) for each in steps]
        last = max((place for place, step in enumerate(made, 1) if step.is_on_images), default=0)
        self._on_images, rest = made[:last], made[last:]
        _check_before_images(self._on_images)
        self._on_features = [step for step in rest if not step.has("measure")]
        self._on_distances = [step for step in rest if step.has("measure")]
        _check_distances_last(rest)
        for place, step in enumerate(self._on_features):
            if step.learns:
                _check_before_learning(self._on_features[:place], step)
        self._all = made

    @property
    def conditions(self) -> list[dict[str, Any]]:
        """What is done, in plain values: ``[{"flip": {"combine": "sum"}}, ...]``."""
        return [{step.name: dict(step.options)} for step in self._all]

    @property
    def reranks(self) -> bool:
        """Whether a step gives the distances."""
        return bool(self._on_distances)

    @property
    def learns(self) -> bool:
        """Whether a step says that it needs training images."""
        return any(step.learns for step in self._on_features)

    @property
    def on_images(self) -> list[str]:
        """Names of the steps that surround the model."""
        return [step.name for step in self._on_images]

    @property
    def beyond_images(self) -> list[str]:
        """Names of the steps that need a whole test."""
        return [step.name for step in (*self._on_features, *self._on_distances)]

    def extract(self, features_of: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
        """Return the features (B, D) of images (B, 3, h, w), given the model."""
        for step in self._on_images:
            features_of = partial(step.made.extract, features_of)
        return features_of(images)

    def transform(self, query: Tensor, gallery: Tensor, setting: Setting) -> tuple[Tensor, Tensor]:
        """Return the features (Q, D) and (G, D) of a whole test, transformed."""
        for place, step in enumerate(self._on_features):
            before = self._on_features[:place]
            learn = partial(_learnt_before, before, step, setting.train_features)
            query, gallery = step.made.transform(query, gallery, Setting(setting.labels, learn))
        return query, gallery

    def measure(self, distances: Measure, query: Tensor, gallery: Tensor) -> Distances:
        """Return the distances (Q, G), given how a metric makes them."""
        for step in self._on_distances:
            distances = partial(step.made.measure, distances)
        return distances(query, gallery)


def _made(given: StepOptions, known: Sequence[Entry]) -> Step:
    name, options = _read(given)
    entry = select(KIND, name, known)
    read = read_options(entry, options)
    made = Component(entry, read).make()
    step = Step(entry.name, _spelled(entry, read), made)
    if not any(map(step.has, _METHODS)):
        raise entry.defect(made, f"an object with a method {' or '.join(_METHODS)}")
    return step


def _read(given: StepOptions) -> tuple[str, Mapping[str, Any]]:
    if isinstance(given, str):
        return given, {}
    if isinstance(given, Mapping) and len(given) == 1:
        ((name, options),) = given.items()
        if isinstance(name, str) and (options is None or isinstance(options, Mapping)):
            return name, options or {}
    raise ConfigError(
        f"{quoted(given)} is no test-time step",
        "Give a name, or one name with its options, as in {alpha_qe: {k: 5}}.",
    )


def _spelled(entry: Entry, read: Mapping[str, Any]) -> dict[str, Any]:
    """Return all options as settings spell them, with the defaults of those that were not given."""
    others = {real: other for other, real in entry.options.items()}
    return {
        others.get(name, name): read.get(name, parameter.default)
        for name, parameter in declared_options(entry).items()
    }


def _check_before_images(steps: Sequence[Step]) -> None:
    for step, later in pairwise(steps):
        if (step.name, step.options) == (later.name, later.options):
            raise ConfigError(
                f"the test-time step {step.name!r} stands twice in a row",
                "Leave one out: the second would look at the same images again.",
            )
    for step in steps:
        if not step.has("extract"):
            raise ConfigError(
                f"the test-time step {step.name!r}, on the features of a whole test, stands before "
                f"{steps[-1].name!r}, which works on images",
                f"Let {steps[-1].name!r} stand before {step.name!r}.",
            )


def _check_distances_last(steps: Sequence[Step]) -> None:
    for step, later in pairwise(steps):
        if step.has("measure"):
            raise ConfigError(
                f"the test-time step {later.name!r} stands behind {step.name!r}, which gives the "
                "distances that are ranked",
                f"Let {step.name!r} be the last, and only, step of its kind.",
            )


def _check_before_learning(before: Sequence[Step], step: Step) -> None:
    for each in before:
        if not each.has("each"):
            raise ConfigError(
                f"the test-time step {step.name!r} learns from training images, and {each.name!r} "
                "before it is for queries and gallery alone",
                f"Let {step.name!r} stand before {each.name!r}.",
            )


def _learnt_before(before: Sequence[Step], step: Step, learn: Callable[[], Tensor]) -> Tensor:
    """Return training features with the steps before a step that learns from them."""
    _check_before_learning(before, step)
    features = learn()
    for each in before:
        features = each.made.each(features)
    return features
