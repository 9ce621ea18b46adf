"""The gate: an exported file gives the features that PyTorch gives, or it is not written."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional

from reid_plugins_export.network import FeatureNetwork
from reidcore.errors import UserError

if TYPE_CHECKING:
    from reidcore.inference import Backend

BATCHES = (1, 2, 7)
"""Numbers of images for which features are compared: the first and none of them may be special."""


@dataclass(frozen=True)
class Tolerance:
    """How far features may be apart.

    Attributes:
        difference: of one value, at most, as a part of the features' length.
        cosine: at least.
    """

    difference: float
    cosine: float


TOLERANCES = {"fp32": Tolerance(1e-4, 0.99999)}
"""By precision; INT8 is held to the mAP of a dataset instead."""

RESIZED = Tolerance(1e-3, 0.99999)
"""Where the file resizes: a pixel in the middle of two whole numbers may be rounded either way."""


@dataclass(frozen=True)
class Parity:
    """How far the features of a file are from PyTorch's.

    Attributes:
        difference: the largest of one value, as a part of the features' length.
        cosine: the smallest.
        batches: the numbers of images that were tried.
    """

    difference: float
    cosine: float
    batches: tuple[int, ...] = BATCHES

    def is_within(self, tolerance: Tolerance) -> bool:
        """Tell whether that is near enough; NaN is not."""
        return self.difference <= tolerance.difference and self.cosine > tolerance.cosine

    def as_dict(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {**asdict(self), "batches": list(self.batches)}


def measure_parity(network: FeatureNetwork, backend: Backend) -> Parity:
    """Compare the features of a file with PyTorch's, of 1, 2 and 7 images.

    Raises:
        UserError: if the file does not run one of these numbers of images, or gives another shape.
    """
    found = [_apart(network, backend, count) for count in BATCHES]
    return Parity(max(each[0] for each in found), min(each[1] for each in found))


def check_parity(parity: Parity, precision: str, resizes: bool = False) -> None:
    """Refuse a file whose features differ.

    Args:
        parity: how far they are apart.
        precision: of the file.
        resizes: whether the file resizes images itself.

    Raises:
        UserError: with the numbers.
    """
    tolerance = RESIZED if resizes and precision == "fp32" else TOLERANCES.get(precision)
    if tolerance is None or parity.is_within(tolerance):
        return
    raise UserError(
        f"the exported features are not PyTorch's: they differ by {parity.difference:.2g} of their "
        f"length (at most {tolerance.difference:g}), and their cosine is {parity.cosine:.6f} "
        f"(at least {tolerance.cosine:g}); nothing was written",
        "Try another --to; a layer of this model is converted wrongly.",
    )


def _apart(network: FeatureNetwork, backend: Backend, count: int) -> tuple[float, float]:
    images = network.example(count)
    with torch.inference_mode():
        wanted = network(images).double()
    given = backend(_channels_first(images, network)).double()
    if given.shape != wanted.shape:
        raise UserError(
            f"the exported file gives {tuple(given.shape)} for {count} images, not "
            f"{tuple(wanted.shape)}; nothing was written",
            "Try another --to: the model's forward fixes its number of images.",
        )
    lengths = wanted.norm(dim=1, keepdim=True)
    difference = ((given - wanted).abs() / lengths).max().item()
    # Brought to length 1 first: torch's own cosine is no cosine for features shorter than 1e-8.
    cosines = (functional.normalize(given, eps=0) * functional.normalize(wanted, eps=0)).sum(1)
    return difference, cosines.min().item()


def _channels_first(images: Tensor, network: FeatureNetwork) -> Tensor:
    return images.movedim(-1, 1) if network.takes == "bytes" else images
