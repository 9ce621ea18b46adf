"""Random patch: ``random_patch``."""

from __future__ import annotations

import copy
import random
from collections.abc import Sequence
from typing import ClassVar

from PIL import Image

from reid_plugins_standard.transforms.boxes import Range, check_box, draw_corner, draw_size
from reidcore.data import (
    ImageReading,
    SamplePath,
    Stage,
    UnreadableImageError,
    as_pil,
    check_probability,
    read_pixels,
)


class RandomPatch:
    """Pastes a patch of another training image, as something standing in the way would.

    Zhou et al., Omni-Scale Feature Learning for Person Re-Identification, ICCV 2019. Torchreid
    collects the patches of the images that came before; here the other image is drawn from the
    whole training set by the item's own draw, so that what an image looks like depends on seed,
    epoch and index alone, and no pool of patches is kept. An image is its own donor where no
    training set is known or the other one cannot be read.

    Args:
        height: Of the image, pixels.
        width: Of the image, pixels.
        p: Probability.
        area: Range of the patch's share of the image.
        ratio: Range of the patch's height divided by its width.
        p_flip: Probability that the patch is mirrored.
        p_rotate: Probability that it is turned by up to 10 degrees; its corners are black then.

    Raises:
        ConfigError: A probability is none, or no such patch fits into the image.
    """

    stage: ClassVar[Stage] = "image"
    order: ClassVar[int] = 30

    def __init__(
        self,
        height: int,
        width: int,
        *,
        p: float = 0.5,
        area: Range = (0.01, 0.5),
        ratio: Range = (0.1, 10.0),
        p_flip: float = 0.5,
        p_rotate: float = 0.5,
    ) -> None:
        check_box("random_patch", height, width, area, ratio)
        self.p = check_probability("random_patch", p)
        self.p_flip = check_probability("random_patch", p_flip)
        self.p_rotate = check_probability("random_patch", p_rotate)
        self.area = area
        self.ratio = ratio
        self.paths: Sequence[SamplePath] = ()
        self.reading = ImageReading()

    def with_training_images(self, paths: Sequence[SamplePath]) -> RandomPatch:
        """Return the transform that takes its patches from these files."""
        bound = copy.copy(self)
        bound.paths = paths
        return bound

    def reading_by(self, reading: ImageReading) -> RandomPatch:
        """Return the transform that reads those files so."""
        bound = copy.copy(self)
        bound.reading = reading
        return bound

    def __call__(self, image: Image.Image) -> Image.Image:
        """Return the image, a copy where something is pasted."""
        if random.random() >= self.p:
            return image
        size = draw_size(image.height, image.width, self.area, self.ratio)
        if size is None:
            return image
        patch = self._varied(self._cut(image, *size))
        top, left = draw_corner(image.height, image.width, *size)
        pasted = image.copy()
        pasted.paste(patch, (left, top))
        return pasted

    def _cut(self, image: Image.Image, height: int, width: int) -> Image.Image:
        """Cut a patch where it would lie in the donor at the size of the image."""
        donor = self._donor() or image
        top, left = draw_corner(image.height, image.width, height, width)
        across, down = donor.width / image.width, donor.height / image.height
        box = (left * across, top * down, (left + width) * across, (top + height) * down)
        return donor.resize((width, height), Image.Resampling.BILINEAR, box=box)

    def _donor(self) -> Image.Image | None:
        if not self.paths:
            return None
        path = random.choice(self.paths)
        file = path if isinstance(path, str) else random.choice(path)
        try:
            return as_pil(read_pixels(file, reading=self.reading))
        except UnreadableImageError:
            return None  # it is told when its own turn comes

    def _varied(self, patch: Image.Image) -> Image.Image:
        if random.random() < self.p_flip:
            patch = patch.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        if random.random() < self.p_rotate:
            patch = patch.rotate(random.randint(-10, 10))
        return patch
