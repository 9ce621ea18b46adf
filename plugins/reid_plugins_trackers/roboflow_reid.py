"""Roboflow's `reid`: a model of ours as a `ReIDModel`, or as the folder that it loads one from.

Serves reid 0.1.0rc1. A folder names an architecture that `reid` builds itself: OSNet, or a network
of timm. Any other model goes in as a `ReIDModel` around the extractor.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from reidcore.errors import UserError, quoted
from reidcore.inference import FeatureExtractor
from reidcore.utils import atomic_folder, write_json

_OSNETS = ("osnet_x0_25", "osnet_x0_5", "osnet_x0_75", "osnet_x1_0")
_TIMM, _THEIR_TIMM, _BACKBONE = "timm/", "timm:", "backbone."

# Our resizer -> reid's interpolation.
_INTERPOLATIONS = {
    "pillow": "bilinear",
    "pillow_bicubic": "bicubic",
    "torch": "bilinear",
}


class ExtractorBackbone(nn.Module):
    """The network of a `ReIDModel` that gives an extractor's features.

    Args:
        extractor: whose features are given; whatever backend it runs on.
    """

    def __init__(self, extractor: FeatureExtractor) -> None:
        super().__init__()
        self._extractor = extractor

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) normalised -> (B, D)."""
        return self._extractor(images)


def reid_model(extractor: FeatureExtractor) -> Any:
    """Return a `reid.ReIDModel` that gives an extractor's features.

    Raises:
        UserError: if `reid` is not installed, or cannot prepare images as the model wants them.
    """
    preprocessing = reid_preprocessing(extractor)
    try:
        from reid import ReIDModel, ReIDPreprocessing
    except ImportError as error:
        raise UserError(
            f"Roboflow's reid cannot be imported ({error})", "pip install --pre reid"
        ) from error
    return ReIDModel(
        ExtractorBackbone(extractor),
        extractor.device,
        ReIDPreprocessing.from_dict(preprocessing),
    )


def save_reid_folder(extractor: FeatureExtractor, folder: str | os.PathLike[str]) -> Path:
    """Write the folder that `ReIDModel.from_pretrained` loads, and return its path.

    It holds ``reid_config.json`` and ``weights.safetensors``, without the classifier.

    Args:
        extractor: of an OSNet or of a network of timm, without a head of its own.
        folder: made whole; it may not hold anything yet.

    Raises:
        UserError: if `reid` knows no such architecture, cannot prepare images as the model wants
            them, the extra ``safetensors`` is missing, or the folder holds something.
    """
    architecture = _architecture(extractor)
    preprocessing = reid_preprocessing(extractor)
    try:
        from safetensors.torch import save_file
    except ImportError as error:
        raise UserError(
            "weights.safetensors needs the library safetensors",
            'pip install "reidcore[safetensors]"',
        ) from error
    state = {
        name.removeprefix(_BACKBONE): value.detach().cpu().contiguous()
        for name, value in extractor.model.state_dict().items()
        if not name.startswith("classifier.")
    }
    config = {"architecture": architecture, "preprocessing": preprocessing}
    with atomic_folder(folder) as partial:
        save_file(state, partial / "weights.safetensors")
        write_json(config, partial / "reid_config.json")
    return Path(folder)


def reid_preprocessing(extractor: FeatureExtractor) -> dict[str, Any]:
    """Return what `reid` is to do to images, as its ``reid_config.json`` says it.

    Raises:
        UserError: if it has no word for it.
    """
    record = extractor.preprocessing.record
    if record["letterbox"] is not None:
        raise UserError(
            "the model's images keep their shape between margins in the middle, and reid puts "
            "all of the margin below or to the right",
            "Train with data.transforms that stretch, or call the extractor itself.",
        )
    resize = record["resize"]
    if resize not in _INTERPOLATIONS:
        raise UserError(
            f"reid cannot resize as {quoted(resize)} does",
            f"It can as {' and '.join(_INTERPOLATIONS)}.",
        )
    return {
        "input_size": [record["height"], record["width"]],
        "mean": list(record["norm_mean"]),
        "std": list(record["norm_std"]),
        "interpolation": _INTERPOLATIONS[resize],
        "to_rgb": True,
        "resize_mode": "stretch",
    }


def _architecture(extractor: FeatureExtractor) -> str:
    model = extractor.metadata.get("model", {})
    name = str(model.get("name", ""))
    is_plain = not (model.get("head") or model.get("options"))
    if is_plain and name in _OSNETS:
        return name
    if is_plain and name.startswith(_TIMM):
        return name.replace(_TIMM, _THEIR_TIMM, 1)
    why = "reid does not build" if is_plain else "reid does not build, with a head or options,"
    raise UserError(
        f"{why} {quoted(name)} by its name",
        f"It builds {', '.join(_OSNETS)} and {_TIMM}NAME. Use reid_model(extractor) instead.",
    )
