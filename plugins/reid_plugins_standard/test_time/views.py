"""Steps that look at several views of each image: its mirror image, and other sizes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Literal

from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

FeaturesOf = Callable[[Tensor], Tensor]
Combine = Literal["sum", "mean"]
Scale = Annotated[float, Field(ge=0.1, le=10)]


class Flip:
    """Adds up the features of each image and of its mirror image.

    The usual test of benchmarks' codes; Simonyan and Zisserman, "Very deep convolutional networks
    for large-scale image recognition" (ICLR 2015), test on flipped images so.

    Args:
        combine: the ``sum`` of both features, or their ``mean``.
    """

    def __init__(self, combine: Combine = "sum") -> None:
        self.combine = combine

    def extract(self, features_of: FeaturesOf, images: Tensor) -> Tensor:
        """Return the features (B, D) of images (B, 3, h, w) and of their mirror images."""
        return _combined([features_of(images), features_of(images.flip(3))], self.combine)


class MultiScale:
    """Adds up the features of each image at several sizes.

    As in Gordo et al., "End-to-end learning of deep visual representations for image retrieval"
    (IJCV 2017). Images are resized by antialiased bilinear interpolation from the size at which the
    model would see them.

    Args:
        scales: factors of height and width; 1 is the image as it is.
        combine: the ``sum`` of the features, or their ``mean``.
    """

    def __init__(
        self,
        scales: Annotated[list[Scale], Field(min_length=1)] = [1.0, 1.25],  # noqa: B006
        combine: Combine = "sum",
    ) -> None:
        self.scales, self.combine = scales, combine

    def extract(self, features_of: FeaturesOf, images: Tensor) -> Tensor:
        """Return the features (B, D) of images (B, 3, h, w) at all sizes."""
        return _combined([features_of(view) for view in self._views(images)], self.combine)

    def _views(self, images: Tensor) -> Iterator[Tensor]:
        for scale in self.scales:
            size = [max(1, round(scale * side)) for side in images.shape[2:]]
            is_same = tuple(size) == tuple(images.shape[2:])
            yield (
                images if is_same else F.interpolate(images, size, mode="bilinear", antialias=True)
            )


def _combined(views: list[Tensor], combine: Combine) -> Tensor:
    total = views[0]
    for view in views[1:]:
        total = total + view
    return total / len(views) if combine == "mean" else total
