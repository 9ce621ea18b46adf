"""The order in which transforms act, whatever the order in which they were named.

A file's image passes three stages:

1. ``resize``: the PIL image as it was decoded becomes height x width. One transform may take this
   stage over, so that no image is interpolated twice.
2. ``image``: the PIL image of that size, RGB.
3. ``tensor``: the (3, height, width) float tensor, normalised.

A transform says its place by attributes ``stage`` and ``order`` of the callable that its factory
returns; without them it is ``image``, 100. Within a stage, smaller orders act first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, get_args, runtime_checkable

from PIL import Image

from reidcore.data.images.reading import ImageReading
from reidcore.data.sample import SamplePath
from reidcore.data.transforms.base import Stage
from reidcore.data.transforms.resize import ResizeTransform, SizeRule
from reidcore.errors import ConfigError

STAGES: tuple[Stage, ...] = get_args(Stage)

LATE = 100
"""The order of transforms that do not say one."""


@runtime_checkable
class UsesTrainingImages(Protocol):
    """A transform that draws on other images of the training set."""

    def with_training_images(self, paths: Sequence[SamplePath]) -> Callable[[Any], Any]:
        """Return the transform that knows the files of the training set."""
        ...


@runtime_checkable
class ReadsImages(Protocol):
    """A transform that reads image files by itself."""

    def reading_by(self, reading: ImageReading) -> Callable[[Any], Any]:
        """Return the transform that reads them as the run reads its images."""
        ...


@dataclass(frozen=True)
class Pipeline:
    """Transforms in the order in which they act.

    Attributes:
        transforms: The callables, the first one first.
    """

    transforms: tuple[Callable[[Any], Any], ...]

    def __call__(self, image: Image.Image) -> Any:
        """Return the image after all the transforms, a tensor (3, height, width)."""
        result: Any = image
        for transform in self.transforms:
            result = transform(result)
        return result

    def with_training_images(self, paths: Sequence[SamplePath]) -> Pipeline:
        """Return the pipeline for a training set with these files."""
        return Pipeline(
            tuple(
                transform.with_training_images(paths)
                if isinstance(transform, UsesTrainingImages)
                else transform
                for transform in self.transforms
            )
        )


def compose(
    named: Iterable[tuple[str, Callable[[Any], Any]]],
    resize: Callable[[Any], Any],
    to_tensor: Callable[[Any], Any],
) -> Pipeline:
    """Put named transforms in order around the two steps that are always there.

    Args:
        named: Names and transforms; equal orders keep this one.
        resize: Acts first where no transform takes the stage.
        to_tensor: PIL image to normalised tensor.

    Raises:
        ConfigError: Two transforms take the stage ``resize``, or a stage is unknown.
    """
    by_stage: dict[str, list[tuple[str, Callable[[Any], Any]]]] = {stage: [] for stage in STAGES}
    for name, transform in sorted(named, key=lambda pair: getattr(pair[1], "order", LATE)):
        stage = getattr(transform, "stage", "image")
        if stage not in by_stage:
            raise ConfigError(
                f"transform {name!r} has the stage {stage!r}", f"It must be one of {STAGES}"
            )
        by_stage[stage].append((name, transform))
    if len(by_stage["resize"]) > 1:
        names = " and ".join(repr(name) for name, _ in by_stage["resize"])
        raise ConfigError(f"the transforms {names} both resize the image", "Choose one")
    first, second, third = ([step for _, step in by_stage[stage]] for stage in STAGES)
    return Pipeline((*(first or [resize]), *second, to_tensor, *third))


def size_rule_of(pipeline: Pipeline) -> SizeRule | None:
    """Return how a pipeline resizes images that it changes no further; None if it does not say."""
    resize = pipeline.transforms[0]
    return resize.rules[0] if isinstance(resize, ResizeTransform) else None
