"""The train and test transforms, from names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reidcore import registry
from reidcore.config.options import DataOptions
from reidcore.data.images.reading import TORCHREID, ImageReading
from reidcore.data.transforms.checked import CheckedTransform, checked
from reidcore.data.transforms.compose import Pipeline, ReadsImages, compose
from reidcore.data.transforms.normalise import ToNormalisedTensor
from reidcore.data.transforms.resize import Resize, ResizeTransform
from reidcore.errors import ConfigError, UnknownNameError, UnknownOptionError
from reidcore.plugins import Plugins
from reidcore.registry import Choose, Chooser, Component

IMAGENET_MEAN = (0.485, 0.456, 0.406)
"""Mean of ImageNet's red, green and blue, of values 0 to 1."""

IMAGENET_STD = (0.229, 0.224, 0.225)
"""Standard deviation of ImageNet's red, green and blue, of values 0 to 1."""


def build_transforms(
    height: int,
    width: int,
    transforms: str | Sequence[str] | None = "random_flip",
    norm_mean: Sequence[float] | None = IMAGENET_MEAN,
    norm_std: Sequence[float] | None = IMAGENET_STD,
    *,
    resize: str = "pillow",
    reading: ImageReading = TORCHREID,
    plugins: Plugins | None = None,
    **sections: Mapping[str, Any],
) -> tuple[Pipeline, Pipeline]:
    """Build the train and the test transform.

    Both map a PIL image to a (3, height, width) float tensor. The train transform adds the named
    ones, in the order that `reidcore.data.transforms.compose` fixes; the test transform those of
    them that say ``in_tests``, such as ``letterbox``.

    Args:
        height: Pixels.
        width: Pixels.
        transforms: Registered name or names.
        norm_mean: Mean of each channel in 0..1; ImageNet's if it or ``norm_std`` is None.
        norm_std: Standard deviation of each channel.
        resize: What resizes images: ``pillow``, to the bytes that Torchreid's models know, or
            ``torch``, which is faster and differs by at most 2 of 255.
        reading: How transforms that draw on other images read them.
        plugins: Where to look; the current ones if None.
        sections: Options of a transform, by its name: ``random_erase={"p": 0.3}``.

    Raises:
        UserError: A name or an option is unknown.
        ConfigError: A size, a resizer, a mean or a deviation makes no sense.
    """
    names = [transforms] if isinstance(transforms, str) else list(transforms or ())
    for name in sections.keys() - names:
        registry.find("transforms", name, plugins)  # refuses what is no transform at all
    mean, std = normalisation(norm_mean, norm_std)
    data = DataOptions.checked(
        height=height,
        width=width,
        transforms=names,
        norm_mean=mean,
        norm_std=std,
        resize=resize,
        reading=reading.preset,
        value_range=reading.value_range,
    )
    return make_transforms(data, Chooser(plugins, sections))


def make_transforms(data: DataOptions, choose: Choose) -> tuple[Pipeline, Pipeline]:
    """Make the train and the test transform of a run; see `build_transforms`.

    Args:
        data: Size, names, normalisation, resizer and reading.
        choose: Gives each transform with its options.
    """
    chosen = {each.entry.name: each for each in (_chosen(name, choose) for name in data.transforms)}
    resizing = Resize(data.height, data.width, resizer=data.resize)
    to_tensor = ToNormalisedTensor(*normalisation(data.norm_mean, data.norm_std))
    reading = ImageReading.of(data)
    named: list[tuple[str, CheckedTransform]] = []
    for name, component in chosen.items():
        step = component.make(height=data.height, width=data.width)
        if isinstance(step, ResizeTransform):
            step = step.resized_by(data.resize)
        elif callable(step) and isinstance(step, ReadsImages):
            step = step.reading_by(reading)
        if not callable(step):
            raise component.entry.defect(step, "a callable that takes and returns an image")
        size = (data.height, data.width)
        named.append((name, checked(component.entry.origin, step, size)))
    in_tests = [(name, step) for name, step in named if getattr(step, "in_tests", False)]
    return compose(named, resizing, to_tensor), compose(in_tests, resizing, to_tensor)


def _chosen(name: str, choose: Choose) -> Component:
    """Return a transform by its name, or by that in lower case, as Torchreid reads names."""
    try:
        return choose("transforms", name)
    except UnknownOptionError:
        raise
    except UnknownNameError:
        if name == name.lower():
            raise
        return choose("transforms", name.lower())


def normalisation(
    mean: Sequence[float] | None, std: Sequence[float] | None
) -> tuple[Sequence[float], Sequence[float]]:
    """Return mean and standard deviation of the channels, ImageNet's if either is None.

    Raises:
        ConfigError: They are no three numbers each, or a deviation is not above 0.
    """
    if mean is None or std is None:
        return IMAGENET_MEAN, IMAGENET_STD
    if len(mean) != 3 or len(std) != 3 or min(std) <= 0:
        raise ConfigError(
            f"norm_mean={list(mean)} and norm_std={list(std)} do not normalise three channels",
            "Give three numbers each, the deviations above 0",
        )
    return mean, std
