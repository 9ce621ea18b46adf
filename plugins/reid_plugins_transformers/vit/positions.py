"""What a network learns of where a patch lies, for grids of other sizes.

N patches in h rows and w columns, D dimensions; before the patches stand P tokens without a place.
"""

from __future__ import annotations

import math
from itertools import product

from timm.layers.pos_embed import resample_abs_pos_embed
from torch import Tensor

from reid_plugins_transformers.vit.patches import grid_of

__all__ = ["grid_of_proportions", "learnt_grid", "resampled_positions"]

Grid = tuple[int, int]

# Images and strides that published networks learnt at, the commonest first. 16x8 is 256x128's.
_USUAL_SIZES = ((256, 128), (384, 128), (224, 224), (256, 256), (384, 384))
_USUAL_STRIDES = (16, 12, 11)


def resampled_positions(
    learnt: Tensor, grid: Grid, prefix: int, proportions: Grid | None = None
) -> Tensor | None:
    """Bring positions (1, P + N, D) that were learnt on another grid to one's own.

    They are interpolated bicubically; those of the tokens before the patches stay.

    Args:
        learnt: what a file holds.
        grid: one's own rows and columns.
        prefix: P.
        proportions: the grid that they were learnt on, if it is known.

    Returns:
        Positions (1, P + h * w, D); None if the file does not tell what grid they are of.
    """
    before = proportions or learnt_grid(learnt.shape[1] - prefix, grid)
    if learnt.dim() != 3 or before is None:
        return None
    resampled: Tensor = resample_abs_pos_embed(learnt, list(grid), list(before), prefix)
    return resampled


def learnt_grid(patches: int, own: Grid) -> Grid | None:
    """Return how so many patches lay on the images that a network learnt at, as far as it shows.

    A file tells their number alone. It is looked for among grids of one's own proportions, those of
    published networks, and those of images that are twice as high as wide, or square.

    Args:
        patches: N.
        own: one's own rows and columns.
    """
    usual = [grid_of(size, stride) for size, stride in product(_USUAL_SIZES, _USUAL_STRIDES)]
    published = [grid for grid in usual if math.prod(grid) == patches]
    twice, square = (grid_of_proportions(patches, *each) for each in ((2, 1), (1, 1)))
    candidates = [grid_of_proportions(patches, *own), *published, twice, square]
    return next((grid for grid in candidates if grid is not None), None)


def grid_of_proportions(patches: int, height: int, width: int) -> Grid | None:
    """Return the rows and columns of so many patches on an image of these proportions, if any."""
    if patches <= 0:
        return None
    rows = math.isqrt(patches * height // width)
    columns = patches // max(1, rows)
    fits = rows * columns == patches and rows * width == columns * height
    return (rows, columns) if fits else None
