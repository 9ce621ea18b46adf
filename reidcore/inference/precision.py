"""Computing in fewer bits, and how far the features then are from those of 32 bits."""

from __future__ import annotations

import logging
import math
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

from reidcore.errors import UserError, did_you_mean, quoted

_log = logging.getLogger(__name__)

PRECISIONS = ("fp32", "bf16", "fp16", "int8")

_HALVES = {"bf16": torch.bfloat16, "fp16": torch.float16}
# Below the first, neighbours begin to swap their ranks; the second is another model's features.
_WARNED, _REFUSED = 0.999, 0.98


def check_precision(precision: str) -> None:
    """Refuse what is no precision.

    Raises:
        UserError: if there is none of that name.
    """
    if precision not in PRECISIONS:
        raise UserError(
            f"precision={quoted(precision)}",
            f"{did_you_mean(precision, PRECISIONS)} Use {', '.join(PRECISIONS)}.".strip(),
        )


def check_in_torch(precision: str, device: torch.device) -> None:
    """Refuse a precision in which PyTorch does not compute, or only slowly.

    Raises:
        UserError: if it is one, on that device.
    """
    if precision == "int8":
        raise UserError(
            "precision='int8' is of exported files, and PyTorch runs this one",
            "Export it with 'reidcore export --int8 DATA', and give that file as model_path.",
        )
    if precision == "fp16" and device.type == "cpu":
        raise UserError(
            "precision='fp16' is slower than fp32 on a CPU", "Use bf16 or fp32, or a GPU."
        )


def computing_in(precision: str, device: torch.device) -> AbstractContextManager[object]:
    """Return a context in which PyTorch's layers compute in a precision."""
    if precision not in _HALVES:
        return nullcontext()
    return torch.autocast(device.type, _HALVES[precision])


def check_closeness(features: Tensor, exact: Tensor, precision: str) -> None:
    """Tell how near features are to those of 32 bits.

    Args:
        features: (B, D) of some images.
        exact: (B, D) of the same images in fp32.
        precision: of the former.

    Raises:
        UserError: if they are no longer the same features.
    """
    cosine = torch.nn.functional.cosine_similarity(features.double(), exact.double()).min().item()
    least = math.floor(cosine * 1e5) / 1e5 if math.isfinite(cosine) else cosine  # not rounded up
    told = f"precision={precision}: the cosine of features to those of fp32 is at least {least:.5f}"
    if not cosine >= _REFUSED:  # NaN is refused too
        raise UserError(f"{told}, and less than {_REFUSED}", "Use bf16 or fp32.")
    _log.log(logging.INFO if cosine >= _WARNED else logging.WARNING, "%s", told)


def probe_images(count: int, height: int, width: int) -> Tensor:
    """Return images as smooth as photographs are, always the same, (count, 3, height, width).

    Their values are those of normalised images: mean 0, deviation 1.
    """
    generator = torch.Generator().manual_seed(0)
    coarse = torch.randn(count, 3, 16, 8, generator=generator)
    return torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic")
