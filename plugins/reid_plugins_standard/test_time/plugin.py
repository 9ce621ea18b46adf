"""Test-time steps in a run, in a FeatureExtractor, and on features that are there already."""

from __future__ import annotations

import logging
from collections.abc import Generator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from torch import Tensor, nn

from reid_plugins_standard.test_time.pipeline import Pipeline, StepOptions
from reid_plugins_standard.test_time.setting import Setting
from reid_plugins_standard.test_time.training_features import train_features, training_table
from reidcore import hookimpl
from reidcore.engine import Engine, TargetTest, on_device
from reidcore.errors import ConfigError, UserError
from reidcore.evaluation import Distances, FeatureDistances, Labels
from reidcore.models import features_of
from reidcore.plugins import Plugins, current_plugins

_log = logging.getLogger(__name__)


class TestTime:
    """A plugin that takes steps in each test: ``make_plugins(extra=[TestTime(["flip"])])``.

    ``settings.standard.test_time`` brings it to a run. In a `FeatureExtractor` the steps on images
    are taken, since there is neither query nor gallery; what is left out is logged.

    Args:
        steps: names, or names with options, in the order in which they are taken.
        plugins: where the steps are looked up; the current ones by default.

    Raises:
        UserError: as of `Pipeline`.

    Example:
        >>> plugins = make_plugins(extra=[TestTime(["flip", "normalize", {"aqe": {"k": 5}}])])
        >>> FeatureExtractor("osnet_x1_0", "model.pth.tar-60", plugins=plugins)
    """

    __test__ = False  # no test case, whatever its name

    def __init__(self, steps: Sequence[StepOptions], plugins: Plugins | None = None) -> None:
        self._steps = Pipeline(steps, plugins)
        self._engine: Engine | None = None
        self._learnt: Tensor | None = None
        self._is_measuring = self._has_told = False

    def check_alone(self, reranks: bool) -> None:
        """Refuse a step that gives distances beside ``test.rerank``.

        Args:
            reranks: what ``test.rerank`` says.
        """
        if reranks and self._steps.reranks:
            raise ConfigError(
                "test.rerank and a test-time step both re-rank", "Leave one of them out."
            )

    @hookimpl(wrapper=True)
    def reid_evaluate(self, engine: Engine) -> Generator[None, Any, Any]:
        """Know the engine for as long as it tests, which begins where no step lacks anything."""
        self.check_alone(engine.plan.rerank)
        if self._steps.learns:
            training_table(engine)
        self._engine = engine
        try:
            return (yield)
        finally:
            self._engine = self._learnt = None

    @hookimpl(wrapper=True)
    def reid_extract_features(
        self, model: nn.Module, images: Tensor, labels: Mapping[str, Any]
    ) -> Generator[None, Tensor, Tensor]:
        """Compute features of several views of the images."""
        features = yield
        if self._engine is None and self._steps.beyond_images and not self._has_told:
            self._has_told = True
            names = " and ".join(self._steps.beyond_images)
            _log.warning("Outside of a test there is no %s: it takes a query and a gallery", names)

        def of_model(views: Tensor) -> Tensor:
            found = features if views is images else features_of(model, views, labels)
            return found.float() if found.dtype.itemsize < 4 else found  # sums under autocast

        return self._steps.extract(of_model, images) if self._steps.on_images else features

    @hookimpl(wrapper=True)
    def reid_transform_features(
        self, labels: Labels, engine: Engine | None
    ) -> Generator[None, tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
        """Transform the features of both sides."""
        query, gallery = yield
        setting = Setting(labels)
        if engine is not None:
            setting = Setting(labels, partial(self._train_features, engine))
        return self._steps.transform(query, gallery, setting)

    @hookimpl(wrapper=True)
    def reid_compute_distance(
        self, query: Tensor, gallery: Tensor, metric: str
    ) -> Generator[None, Distances, Distances]:
        """Re-rank the distances, whoever computes them."""
        distances = yield
        if self._is_measuring or not self._steps.reranks:
            return distances
        engine = self._engine
        plugins = engine.plugins if engine else current_plugins()

        def measure(query: Tensor, gallery: Tensor) -> Distances:
            measured: Distances = plugins.hook.reid_compute_distance(
                query=query, gallery=gallery, metric=metric
            )
            return on_device(measured, engine.device) if engine else measured

        self._is_measuring = True
        try:
            return self._steps.measure(measure, query, gallery)
        finally:
            self._is_measuring = False

    @hookimpl
    def reid_target_tested(self, tested: TargetTest) -> None:
        """Say in the result what was done."""
        tested.result.conditions["test_time"] = self._steps.conditions

    def _train_features(self, engine: Engine) -> Tensor:
        """Return the training features, which are the same for all targets of a test."""
        if self._learnt is None:
            self._learnt = train_features(engine)
        return self._learnt


class Applied(NamedTuple):
    """What steps made of features.

    Attributes:
        query: (Q, D).
        gallery: (G, D).
        distances: (Q, G), re-ranked if a step says so; `reidcore.evaluation.evaluate` takes them.
        conditions: the steps with all their options, in plain values.
    """

    query: Tensor
    gallery: Tensor
    distances: Distances
    conditions: list[dict[str, Any]]


def apply_steps(
    query: Tensor,
    gallery: Tensor,
    labels: Labels,
    steps: Sequence[StepOptions],
    metric: str = "euclidean",
    train: Tensor | None = None,
    plugins: Plugins | None = None,
) -> Applied:
    """Take test-time steps on features that are there already.

    Args:
        query: (Q, D), floating point.
        gallery: (G, D).
        labels: of the same rows.
        steps: names, or names with options, in the order in which they are taken.
        metric: ``"euclidean"`` (squared) or ``"cosine"``.
        train: (T, D) features of training images, for steps that learn from them.
        plugins: where the steps are looked up; the current ones by default.

    Raises:
        UserError: as of `Pipeline`; a step works on images; features do not fit or are not finite.
    """
    pipeline = Pipeline(steps, plugins)
    FeatureDistances(query, gallery, metric)  # tells of features and of a metric that are wrong
    if on_images := pipeline.on_images:
        raise UserError(
            f"the test-time step {on_images[-1]!r} works on images, and there are features",
            "Take it where features are extracted, or leave it out.",
        )
    setting = Setting(labels) if train is None else Setting(labels, lambda: train)
    query, gallery = pipeline.transform(query, gallery, setting)
    measure = partial(FeatureDistances, metric=metric)
    distances = pipeline.measure(measure, query, gallery)
    return Applied(query, gallery, distances, pipeline.conditions)
