"""Mirroring: ``random_flip``."""

from __future__ import annotations

from typing import Any, ClassVar

from torchvision.transforms import v2

from reidcore.data.transforms.pipeline import Stage, check_probability


class RandomFlip:
    """Mirrors left and right with probability ``p``.

    Args:
        height: Of the image, pixels.
        width: Of the image, pixels.
        p: Probability.

    Raises:
        ConfigError: ``p`` is no probability.
    """

    stage: ClassVar[Stage] = "image"
    order: ClassVar[int] = 10

    def __init__(self, height: int, width: int, *, p: float = 0.5) -> None:
        self.flip = v2.RandomHorizontalFlip(check_probability("random_flip", p))

    def __call__(self, image: Any) -> Any:
        """Return the image, mirrored or not."""
        return self.flip(image)
