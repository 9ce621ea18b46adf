"""Networks that were exported to a file: what runs one, and how an extractor calls it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol, TypeAlias

import torch
from torch import Tensor, nn

from reidcore._files import PathLike
from reidcore.errors import UserError, quoted
from reidcore.plugins import Plugins, bundled

Takes: TypeAlias = Literal["normalised", "unit_range", "bytes"]
"""What images a network takes: ``(x - mean) / std``, 0..1, or 8-bit RGB; (B, 3, h, w) each."""

TORCH = "torch"
"""The backend that runs a checkpoint by PyTorch, in this process."""


class Backend(Protocol):
    """Runs a network that was exported to a file.

    Attributes:
        record: what the file says of itself; empty for a file that others wrote.
        feature_dim: D.
        image_size: the one size (height, width) that the file takes; None where it takes any.
        takes: what becomes of pixels before they are given.
    """

    record: Mapping[str, Any]
    feature_dim: int
    image_size: tuple[int, int] | None
    takes: Takes

    def __call__(self, images: Tensor) -> Tensor:
        """Return the features (B, D), float32 on the CPU, of images (B, 3, h, w).

        It is called by several threads at a time.
        """
        ...


class ExportedModel(nn.Module):
    """A backend as a module, so that hooks wrap it as they wrap a network.

    Args:
        backend: what runs the file.

    Attributes:
        feature_dim: D.
    """

    def __init__(self, backend: Backend) -> None:
        super().__init__()
        self.backend = backend
        self.feature_dim = backend.feature_dim

    def forward(self, images: Tensor) -> Tensor:
        """Return the features (B, D) of images (B, 3, h, w), on their device."""
        return self.backend(images).to(images.device)


def open_exported(
    name: str | None,
    path: PathLike,
    *,
    device: torch.device,
    precision: str,
    threads: int | None,
    plugins: Plugins,
    model_name: str = "",
    image_size: tuple[int, int] | None = None,
) -> Backend | None:
    """Open an exported file; None if a checkpoint is to be run by PyTorch.

    Args:
        name: of the backend; by default the file's ending tells it.
        path: the file; a checkpoint is exported first if another backend than torch is named.
        device: where the backend runs.
        precision: as of a `FeatureExtractor`.
        threads: how many the backend uses; by default as many as it likes.
        plugins: where backends are looked up.
        model_name: of a checkpoint that does not tell it.
        image_size: height and width at which a checkpoint is exported; by default its own.

    Raises:
        UserError: if there is no such backend, it is not installed or cannot run the file.
    """
    if name == TORCH or not path:
        if name not in (None, TORCH):
            raise UserError(f"backend={quoted(name)} is given no file", "Give model_path=FILE.")
        return None
    return bundled.open_backend(
        name,
        path,
        device=str(device),
        precision=precision,
        threads=threads,
        plugins=plugins,
        model_name=model_name,
        image_size=image_size,
    )
