"""What transforms of plugins give is checked where they give it, and told in their name."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from reidcore import hookimpl
from reidcore.config.options import DataOptions
from reidcore.data import PixelTransform, ResizeTransform, SizeRule, TensorTransform
from reidcore.data.transforms.build import make_transforms
from reidcore.data.transforms.resize import PILSource
from reidcore.data.transforms.split import split_pipeline
from reidcore.errors import PluginDefectError
from reidcore.plugins import make_plugins
from reidcore.registry import Chooser
from reidcore.testing import TinyWorld
from tests.core.engine.test_answers import Gives

HEIGHT, WIDTH = 8, 6
IMAGE = Image.new("RGB", (WIDTH, HEIGHT), (10, 20, 30))


class Changes:
    """A random transform with answers of its own.

    Args:
        params: what it draws.
        answer: what it makes of a batch.
    """

    def __init__(self, params: Any = (0.5,), answer: Callable[[Tensor], Any] = lambda x: x) -> None:
        self.params, self.answer = params, answer

    def make_params(self, height: int, width: int) -> Any:
        return self.params

    def transform(self, images: Tensor, params: Tensor) -> Any:
        return self.answer(images)


class Bytes(Changes, PixelTransform):
    pass


class Floats(Changes, TensorTransform):
    pass


class Whole(PixelTransform):
    """A transform of single images, with an answer of its own."""

    def __init__(self, answer: Callable[[Any], Any]) -> None:
        self.answer = answer

    def make_params(self, height: int, width: int) -> Any:
        return ()

    def transform(self, images: Tensor, params: Tensor) -> Tensor:
        return images

    def transform_pixels(self, pixels: Any, params: Any) -> Any:
        return self.answer(pixels)


class Resizes(ResizeTransform):
    """A resizing transform with an answer of its own."""

    rules = (SizeRule(HEIGHT, WIDTH),)

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def from_source(self, source: Any) -> Any:
        return self.answer


class OnTensors:
    """A function of normalised tensors."""

    stage: ClassVar[str] = "tensor"

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def __call__(self, image: Tensor) -> Any:
        return self.answer


class Knows:
    def with_training_images(self, paths: Any) -> Any:
        return None

    def __call__(self, image: Any) -> Any:
        return image


def pipeline_of(transform: Any) -> Any:
    """Return the train transform with one of a plugin's."""
    made = make_plugins(extra=[TinyWorld(), Gives(transform)])
    options = DataOptions(transforms=["odd"], height=HEIGHT, width=WIDTH)
    return make_transforms(options, Chooser(made))[0]


def read_at_once(pipeline: Any) -> None:
    pipeline(IMAGE)


def read_and_finished(pipeline: Any, augment: str) -> None:
    """Do what a loader does, in its two halves."""
    split = split_pipeline(pipeline, augment)
    if split is None:
        pytest.skip("a transform that cannot be split off")
    pixels, params = split.read(PILSource(IMAGE))
    images = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None]
    drawn = iter([torch.tensor([each], dtype=torch.float64) for each in params])
    for step in split.on_batches:
        images = step.checked_batch(images, next(drawn))
    floats = split.normalise.on_batch(images.permute(0, 2, 3, 1))
    for step in split.on_tensors:
        floats = step.checked_batch(floats, next(drawn))


ROADS = {
    "at once": read_at_once,
    "image": partial(read_and_finished, augment="image"),
    "batch": partial(read_and_finished, augment="batch"),
}
PARAMS = [None, 5, "ab", ["1"], [None], {1, 2}, {"a": 1}, [[1, 2]], object()]
BATCHES: list[Callable[[Tensor], Any]] = [
    lambda images: None,
    lambda images: 5,
    lambda images: images.numpy(),
    lambda images: images[0],
    lambda images: images[:, :, :4],
    lambda images: images.double(),
    lambda images: images.to(torch.int32),
]
ARRAYS: list[Any] = [
    None,
    5,
    np.zeros((HEIGHT, WIDTH, 3)),
    np.zeros((HEIGHT, WIDTH), dtype=np.uint8),
    np.zeros((4, 4, 3), dtype=np.uint8),
    torch.zeros(3, HEIGHT, WIDTH, dtype=torch.uint8),
]
IMAGES = [*ARRAYS, IMAGE.convert("L"), IMAGE.convert("RGBA"), IMAGE.resize((4, 4))]
TENSORS = [None, 5, IMAGE, torch.zeros(3, 8, 6, dtype=torch.uint8), torch.zeros(8, 6)]

WRONG: list[tuple[str, Any, str]] = [
    *((f"{kind.__name__} draws", kind(params), "make_params") for kind in (Bytes, Floats)
      for params in PARAMS),
    *((f"{kind.__name__} gives", kind(answer=answer), "transform") for kind in (Bytes, Floats)
      for answer in BATCHES),
    *(("whole", Whole(lambda _, given=given: given), "transform_pixels") for given in ARRAYS),
    *(("resizes", Resizes(given), "from_source") for given in ARRAYS),
    *(("function", lambda image, given=given: given, "its call") for given in IMAGES),
    *(("on tensors", OnTensors(given), "its call") for given in TENSORS),
]  # fmt: skip


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize(
    ("transform", "where"),
    [(transform, where) for _, transform, where in WRONG],
    ids=[f"{kind} {number}" for number, (kind, _, _) in enumerate(WRONG)],
)
def test_what_is_no_image_or_no_params_names_the_plugin(
    road: str, transform: Any, where: str
) -> None:
    if road == "batch" and where == "transform_pixels":
        pytest.skip("a batch is changed by transform")
    told = rf"transform 'odd' of plugin 'Gives' gave .* in {where}; it must give"
    with pytest.raises(PluginDefectError, match=told):
        ROADS[road](pipeline_of(transform))


def test_as_many_params_are_drawn_for_each_image() -> None:
    drawn = iter([(1.0,), (1.0,), (1.0, 2.0)])

    class Varies(Bytes):
        def make_params(self, height: int, width: int) -> Any:
            return next(drawn)

    pipeline = pipeline_of(Varies())
    pipeline(IMAGE)
    pipeline(IMAGE)
    with pytest.raises(PluginDefectError, match="it must give numbers, as many for each image"):
        pipeline(IMAGE)


def test_a_transform_that_knows_no_training_images_names_its_plugin() -> None:
    with pytest.raises(PluginDefectError, match=r"'Gives' gave None in with_training_images"):
        pipeline_of(Knows()).with_training_images(["a.jpg"])


def test_right_answers_pass_as_they_are() -> None:
    def inverted(images: Tensor) -> Tensor:
        return 255 - images

    for transform in (Bytes(answer=inverted), Whole(lambda pixels: 255 - pixels)):
        changed = pipeline_of(transform)(IMAGE)
        assert torch.equal(changed, pipeline_of(lambda _: IMAGE.point(lambda v: 255 - v))(IMAGE))


def test_a_checked_transform_shows_its_own_attributes_and_survives_pickling() -> None:
    checked = pipeline_of(pickled).transforms[2]
    again = pickle.loads(pickle.dumps(checked))
    for step in (checked, again):
        assert (step.height, step.stage, step.told_as) == (3, "tensor", TOLD)


TOLD = "transform 'odd' of plugin 'Gives'"


class Pickled:
    height = 3
    stage = "tensor"

    def __call__(self, image: Tensor) -> Tensor:
        return image


pickled = Pickled()


@dataclass(frozen=True)
class Frozen(PixelTransform):
    """A transform that nobody may write to."""

    params: Any = (0.5,)

    def make_params(self, height: int, width: int) -> Any:
        return self.params

    def transform(self, images: Tensor, params: Tensor) -> Tensor:
        return 255 - images


@dataclass(frozen=True)
class FrozenResize(ResizeTransform):
    """A resizing transform that nobody may write to."""

    rules: tuple[SizeRule, ...] = (SizeRule(HEIGHT, WIDTH),)

    def from_source(self, source: Any) -> Any:
        return source.sized(self.rules[0])


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize("transform", [Frozen(), FrozenResize()])
def test_a_transform_may_be_frozen(road: str, transform: Any) -> None:
    pipeline = pipeline_of(transform)
    ROADS[road](pipeline)
    ROADS[road](pickle.loads(pickle.dumps(pipeline)))
    assert vars(transform).keys() == {field.name for field in fields(transform)}


@pytest.mark.parametrize("road", ROADS)
def test_a_transform_under_two_names_is_told_by_each(road: str) -> None:
    class Twice:
        shared = Bytes(params=None)

        @hookimpl
        def reid_register_transforms(self, registry: Any) -> None:
            registry.add("first", lambda height, width: self.shared)
            registry.add("second", lambda height, width: self.shared)

    made = make_plugins(extra=[Twice()])
    options = [DataOptions(transforms=[n], height=HEIGHT, width=WIDTH) for n in ("first", "second")]
    pipelines = [make_transforms(each, Chooser(made))[0] for each in options]
    for pipeline, name in zip(pipelines, ("first", "second"), strict=True):
        with pytest.raises(PluginDefectError, match=f"transform {name!r} of plugin 'Twice' gave"):
            ROADS[road](pipeline)
