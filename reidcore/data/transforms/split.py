"""What of a pipeline is done image by image, and what batch by batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from reidcore.data.images.resize import Pixels
from reidcore.data.transforms.base import Params, PixelTransform, RandomTransform, as_pil, as_pixels
from reidcore.data.transforms.compose import Pipeline
from reidcore.data.transforms.normalise import ToNormalisedTensor
from reidcore.data.transforms.resize import ImageSource, ResizeTransform, SizeRule


@dataclass(frozen=True)
class SplitPipeline:
    """A pipeline, divided: an image stays bytes until its batch is complete.

    Attributes:
        resize: Takes the first stage.
        on_images: What changes each image where it is read.
        on_batches: What is drawn there, and changes the bytes of the whole batch.
        normalise: Makes floats of bytes.
        on_tensors: What is drawn where an image is read, and changes the floats of the batch.
    """

    resize: Callable[[Any], Any]
    on_images: tuple[Callable[[Any], Any], ...]
    on_batches: tuple[RandomTransform, ...]
    normalise: ToNormalisedTensor
    on_tensors: tuple[RandomTransform, ...]

    @property
    def rules(self) -> tuple[SizeRule, ...]:
        """The sizes that images are resized to before anything random happens."""
        return self.resize.rules if isinstance(self.resize, ResizeTransform) else ()

    @property
    def later(self) -> tuple[RandomTransform, ...]:
        """What is drawn image by image and applied batch by batch."""
        return self.on_batches + self.on_tensors

    @property
    def is_random(self) -> bool:
        """Whether anything may be drawn."""
        resizes_plainly = isinstance(self.resize, ResizeTransform) and not self.resize.is_random
        return not resizes_plainly or bool(self.on_images or self.later)

    def read(self, source: ImageSource) -> tuple[Pixels, list[Params]]:
        """Return an image (height, width, 3), and what its batch is to change in it."""
        image: Any
        if isinstance(self.resize, ResizeTransform):
            image = self.resize.resized(source)
        else:
            image = self.resize(as_pil(source.pixels()))
        for step in self.on_images:
            if isinstance(step, PixelTransform):
                image = step.changed_at_random(as_pixels(image))
            else:
                image = step(as_pil(image))
        pixels = as_pixels(image)
        return pixels, [step.checked_params(*pixels.shape[:2]) for step in self.later]


def split_pipeline(transform: Any, augment: str = "image") -> SplitPipeline | None:
    """Divide a pipeline, or return None where it is none that can be divided.

    That is so for functions of the user's own, and where a plugin's transform acts on the
    normalised tensor of one image.

    Args:
        transform: What a dataset applies to its images.
        augment: ``image``, or ``batch`` to leave as much as possible to the batch: all that comes
            after the last transform which needs the image itself.
    """
    if type(transform) is not Pipeline:
        return None
    steps: tuple[Any, ...] = transform.transforms
    middle = [n for n, step in enumerate(steps) if type(step) is ToNormalisedTensor]
    if len(middle) != 1:
        return None
    before, after = steps[1 : middle[0]], steps[middle[0] + 1 :]
    tensors = tuple(step for step in after if isinstance(step, RandomTransform))
    if len(tensors) < len(after):
        return None
    first = len(before)
    while augment == "batch" and first and isinstance(before[first - 1], PixelTransform):
        first -= 1
    batches = tuple(step for step in before[first:] if isinstance(step, RandomTransform))
    return SplitPipeline(steps[0], before[:first], batches, steps[middle[0]], tensors)
