"""The train and test transforms, from names."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from reidcore import registry
from reidcore.data.images.resize import check_resizer
from reidcore.data.transforms.compose import Pipeline, ToNormalisedTensor, compose
from reidcore.data.transforms.resize import Resize, ResizeTransform
from reidcore.errors import ConfigError
from reidcore.plugins import Plugins

_log = logging.getLogger(__name__)

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


def build_transforms(
    height: int,
    width: int,
    transforms: str | Sequence[str] | None = "random_flip",
    norm_mean: Sequence[float] | None = IMAGENET_MEAN,
    norm_std: Sequence[float] | None = IMAGENET_STD,
    *,
    resize: str = "pillow",
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
        plugins: Where to look; the current ones if None.
        sections: Options of a transform, by its name: ``random_erase={"p": 0.3}``.

    Raises:
        UserError: A name or an option is unknown.
        ConfigError: A size, a resizer, a mean or a deviation makes no sense.
    """
    if height < 1 or width < 1:
        raise ConfigError(f"images of {height}x{width} pixels cannot be made")
    names = [transforms] if isinstance(transforms, str) else list(transforms or ())
    names = list(dict.fromkeys(_spelt(name, plugins) for name in names))
    _check_sections(names, sections, plugins)
    resizing = Resize(height, width, resizer=check_resizer(resize))
    to_tensor = ToNormalisedTensor(*normalisation(norm_mean, norm_std))
    made = [_make(name, height, width, sections.get(name, {}), plugins) for name in names]
    resized = [s.resized_by(resize) if isinstance(s, ResizeTransform) else s for s in made]
    named = list(zip(names, resized, strict=True))
    in_tests = [(name, step) for name, step in named if getattr(step, "in_tests", False)]
    _log.info("Training images: %dx%d, %s", height, width, ", ".join(names) or "no augmentation")
    return compose(named, resizing, to_tensor), compose(in_tests, resizing, to_tensor)


def _spelt(name: str, plugins: Plugins | None) -> str:
    """Return the name in lower case, as Torchreid reads it, unless it is registered as it is."""
    known = {entry.name for entry in registry.entries("transforms", plugins)}
    return name if name in known else name.lower()


def _make(
    name: str, height: int, width: int, section: Mapping[str, Any], plugins: Plugins | None
) -> Callable[[Any], Any]:
    component = registry.choose("transforms", name, section, plugins)
    made: Callable[[Any], Any] = component.make(height=height, width=width)
    return made


def _check_sections(
    names: Sequence[str], sections: Mapping[str, Any], plugins: Plugins | None
) -> None:
    for name, section in sections.items():
        if name not in names:
            registry.find("transforms", name, plugins)  # refuses what is no transform at all
        if not isinstance(section, Mapping):
            raise ConfigError(
                f"the options of transform {name!r} are {section!r}",
                f"Give a mapping, as in {name}={{'p': 0.5}}",
            )


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
