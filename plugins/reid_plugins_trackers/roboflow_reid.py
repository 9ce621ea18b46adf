"""Roboflow's `reid`: a model of ours as a `ReIDModel`, or as the folder that it loads one from.

Serves reid 0.1.0rc1. A folder names an architecture that `reid` builds itself: OSNet, or a network
of timm. Any other model goes in as a `ReIDModel` around the extractor.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from reidcore.errors import UserError, quoted
from reidcore.inference import FeatureExtractor
from reidcore.models import build_model, load_pretrained_weights
from reidcore.plugins import Plugins
from reidcore.utils import PathLike, atomic_folder, write_json

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


def save_reid_folder(
    checkpoint: PathLike,
    folder: PathLike,
    *,
    model_name: str = "",
    image_size: int | Sequence[int] | None = None,
    plugins: Plugins | None = None,
) -> Path:
    """Write the folder that `ReIDModel.from_pretrained` loads, and return its path.

    It holds ``reid_config.json`` and ``weights.safetensors``, without the classifier.

    Args:
        checkpoint: of an OSNet or of a network of timm, without a head of its own.
        folder: made whole; it may not hold anything yet.
        model_name: where the checkpoint does not tell it.
        image_size: likewise, as of a `FeatureExtractor`.
        plugins: where the model is looked up; by default the current plugins.

    Raises:
        UserError: if `reid` knows no such architecture, cannot prepare images as the model wants
            them, the extra ``safetensors`` is missing, or the folder holds something.
    """
    extractor = FeatureExtractor(
        model_name, checkpoint, image_size, device="cpu", verbose=False, plugins=plugins
    )
    architecture = _architecture(extractor)
    config = {"architecture": architecture, "preprocessing": reid_preprocessing(extractor)}
    try:
        from safetensors.torch import save_file
    except ImportError as error:
        raise UserError(
            "weights.safetensors needs the library safetensors",
            'pip install "reidcore[safetensors]"',
        ) from error
    state = _weights(extractor, checkpoint)
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
    folded = extractor.metadata.get("preprocess", "none")
    if folded == "full":
        raise UserError(
            "the exported file prepares images itself, and so does reid",
            "Export with --preprocess none or mean_std.",
        )
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
        "mean": list(record["norm_mean"]) if folded == "none" else [0.0, 0.0, 0.0],
        "std": list(record["norm_std"]) if folded == "none" else [1.0, 1.0, 1.0],
        "interpolation": _INTERPOLATIONS[resize],
        "to_rgb": True,
        "resize_mode": "stretch",
    }


def _architecture(extractor: FeatureExtractor) -> str:
    model = extractor.metadata.get("model", {})
    name = str(model.get("name", ""))
    if "preprocess" in extractor.metadata:
        raise UserError(
            f"an exported file of {quoted(name)} has no weights to hand on",
            "Give the checkpoint, or use reid_model(extractor).",
        )
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


def _weights(extractor: FeatureExtractor, checkpoint: PathLike) -> dict[str, Tensor]:
    """Return the weights by reid's names, as they were trained: an extractor folds its own."""
    size = (extractor.preprocessing.height, extractor.preprocessing.width)
    name, plugins = extractor.metadata["model"]["name"], extractor.plugins
    model = build_model(name, num_classes=1, pretrained=False, plugins=plugins, image_size=size)
    load_pretrained_weights(model, checkpoint, plugins, features_only=True)
    return {
        name.removeprefix(_BACKBONE): value.detach().contiguous()
        for name, value in model.state_dict().items()
        if not name.startswith("classifier.")
    }
