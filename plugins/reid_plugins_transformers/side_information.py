"""Side information: what a network is told of an image beside its pixels, as a learnt vector.

He et al., "TransReID: Transformer-based Object Re-Identification", ICCV 2021: a vector for each
camera, each viewpoint, or each pair of both, which makes up for what they do to pixels. It is
learnt, and so known of the training images' cameras and viewpoints alone. **Of any other image
(another camera, another dataset, a bare picture) nothing is known: its vector is zero.**
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from reidcore.errors import ConfigError

_log = logging.getLogger(f"reidcore.{__name__}")

SideKind = Literal["none", "camera", "view", "both"]
"""What is told: nothing, the camera, the viewpoint, or the two together."""

_COLUMNS: dict[str, tuple[str, ...]] = {
    "none": (),
    "camera": ("camid",),
    "view": ("view",),
    "both": ("camid", "view"),
}
_FEWEST = 2

# Column -> (what it holds, what to do where there is none).
_WORDS = {
    "camid": ("cameras", "let the dataset say which camera saw an image"),
    "view": ("viewpoints", "choose a dataset whose table has a column 'view'"),
}


class SideInformation(nn.Module):
    """A learnt vector for each camera, viewpoint, or pair of both.

    Of a pair the row is ``camera * views + view``, as in the authors' checkpoints.

    Args:
        kind: ``camera``, ``view`` or ``both``.
        num_cameras: of the training images (K).
        num_views: of the training images (V).
        width: D.

    Attributes:
        table: (rows, D).
        numbers: column -> the numbers that cameras, or viewpoints, have in the training images, in
            the order of their rows: 0, 1, ... until ``renumber`` says others. They are kept with
            the weights.

    Raises:
        ConfigError: if the training images are of fewer than two cameras or viewpoints.
    """

    def __init__(
        self, kind: SideKind, num_cameras: int | None, num_views: int | None, width: int
    ) -> None:
        super().__init__()
        self.kind = kind
        self.is_ignored = self._has_told = False
        counts = {"camid": num_cameras, "view": num_views}
        rows = 1
        for column in self.columns(kind):
            count = _checked_count(kind, column, counts)
            self.register_buffer(f"{column}_numbers", torch.arange(count))
            rows *= count
        self.table = nn.Parameter(torch.empty(rows, width))
        nn.init.trunc_normal_(self.table, std=0.02)

    @staticmethod
    def columns(kind: SideKind) -> tuple[str, ...]:
        """Return the columns of a batch that are needed: a model's ``inputs``.

        Raises:
            ConfigError: if there is no such kind.
        """
        if kind not in _COLUMNS:
            raise ConfigError(
                f"there is no side information {kind!r}",
                f"Choose one of {', '.join(get_args(SideKind))}.",
            )
        return _COLUMNS[kind]

    @property
    def numbers(self) -> dict[str, Tensor]:
        """Column -> (K,) or (V,) int64."""
        return {name: self.get_buffer(f"{name}_numbers") for name in self.columns(self.kind)}

    def renumber(self, column: str, numbers: Sequence[int]) -> None:
        """Say which numbers the training images' cameras or viewpoints have, in ascending order.

        Raises:
            ConfigError: if they are not as many as the rows are for.
        """
        own = self.numbers[column]
        if len(numbers) != len(own):
            raise ConfigError(
                f"the model has side information of {len(own)} values of {column!r}, the training "
                f"images have {len(numbers)}",
                "Build the model for these images, as reidcore run does.",
            )
        own.copy_(torch.as_tensor(numbers, dtype=own.dtype))

    def forward(self, camid: Tensor | None = None, view: Tensor | None = None) -> Tensor:
        """Return the vectors (B, D) of images; zeros (1, D) if nothing is known of any.

        Args:
            camid: their cameras (B,).
            view: their viewpoints (B,).
        """
        given = {"camid": camid, "view": view}
        row: Tensor | int = 0
        known: Tensor | bool = True
        for name, numbers in self.numbers.items():
            values = given[name]
            if values is None or self.is_ignored:
                self._tell_unknown()
                return self.table.new_zeros(1, self.table.shape[1])
            same = values[:, None] == numbers  # (B, K)
            row = row * len(numbers) + same.int().argmax(1)
            known = same.any(1) & known
        vectors: Tensor = self.table[row] * torch.as_tensor(known)[:, None].to(self.table.dtype)
        return vectors

    def _tell_unknown(self) -> None:
        """Say once that nothing is known, unless whoever ignores it has said so.

        On the device ``meta`` there are shapes alone, and no images.
        """
        if not (self._has_told or self.is_ignored or self.table.is_meta):
            self._has_told = True
            _log.warning(
                "The network has side information, and is not told which %s images are from: they "
                "are described without",
                " and ".join(_WORDS[name][0] for name in self.numbers),
            )

    @contextmanager
    def ignored(self) -> Iterator[None]:
        """Let nothing be known of any image meanwhile."""
        before, self.is_ignored = self.is_ignored, True
        try:
            yield
        finally:
            self.is_ignored = before


def _checked_count(kind: SideKind, column: str, counts: Mapping[str, int | None]) -> int:
    count = counts[column]
    if count is not None and count >= _FEWEST:
        return count
    what, remedy = _WORDS[column]
    told = [name for name in SideInformation.columns(kind) if (counts[name] or 0) >= _FEWEST]
    instead = next((other for other in get_args(SideKind) if list(_COLUMNS[other]) == told), "none")
    raise ConfigError(
        f"side information {kind!r} tells {what} apart, and the training images have "
        f"{'none' if not count else 'one alone'}",
        f"Leave it out (model.sie={instead}), or {remedy}.",
    )
