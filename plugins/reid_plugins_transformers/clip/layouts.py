"""Files of weights that CLIP-ReID's networks read: CLIP's own, and those of CLIP-ReID's authors.

CLIP's keys are OpenAI's, which OpenCLIP keeps: the image tower below ``visual.``, the text tower
beside it. The authors of CLIP-ReID put the first below ``image_encoder.`` and the second below
``text_encoder.``, and keep the embedded tokens of the sentence instead of the table of all tokens.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor, nn

from reid_plugins_transformers.clip.model import ClipReid
from reid_plugins_transformers.clip.texts import PREFIX
from reidcore.models import WeightsLayout

# CLIP's attention is torch's nn.MultiheadAttention, whose parameters these are.
_IN_PROJECTION = re.compile(r"\.attn\.in_proj_(weight|bias)$")

_OF_TEXTS = ("transformer.", "positional_embedding", "ln_final.", "text_projection")
_TOKENS, _VOCABULARY = "token_embedding.weight", 49408
_SIDE = "cv_embed"  # of CLIP-ReID's authors


def read(model: nn.Module, tensors: Mapping[str, Tensor]) -> WeightsLayout | None:
    """Read a file of CLIP or of CLIP-ReID's authors for one of our networks; None for others."""
    if not isinstance(model, ClipReid):
        return None
    if any(key.startswith("visual.") for key in tensors):
        return _of_clip(model, tensors)
    if "bottleneck_proj.weight" in tensors and "bottleneck_proj.bias" in tensors:
        return _of_authors(model, tensors)
    return None


def _of_clip(model: ClipReid, tensors: Mapping[str, Tensor]) -> WeightsLayout:
    names = {key: _in_block(_beside_images(key)) for key in tensors}
    renamed = {name: tensors[key] for key, name in names.items()}
    file_keys = {name: key for key, name in names.items()}
    if len(tensors.get(_TOKENS, ())) == _VOCABULARY:
        del renamed[_TOKENS], file_keys[_TOKENS]
        around = {
            "prompt_learner.token_prefix": PREFIX,
            "prompt_learner.token_suffix": model.prompt_learner.suffix_tokens,
        }
        for name, tokens in around.items():
            # (tokens of all, W) -> (1, tokens, W)
            renamed[name] = tensors[_TOKENS][list(tokens)].unsqueeze(0)
            file_keys[name] = _TOKENS
    return WeightsLayout("CLIP's keys", renamed, file_keys)


def _of_authors(model: ClipReid, tensors: Mapping[str, Tensor]) -> WeightsLayout:
    names = {key: _in_block(key) for key in tensors}
    if _SIDE in names:
        names[_SIDE] = "side_information.table"
    renamed = {names[key]: value for key, value in tensors.items()}
    suffix = "prompt_learner.token_suffix"
    if suffix in renamed:
        # What stands behind the sentence's end cannot be seen from it.
        renamed[suffix] = renamed[suffix][:, : len(model.prompt_learner.suffix_tokens)]
    return WeightsLayout("CLIP-ReID's keys", renamed, {name: key for key, name in names.items()})


def _beside_images(key: str) -> str:
    if key.startswith("visual."):
        return f"image_encoder.{key.removeprefix('visual.')}"
    return f"text_encoder.{key}" if key.startswith(_OF_TEXTS) else key


def _in_block(key: str) -> str:
    return _IN_PROJECTION.sub(r".attn.in_proj.\1", key)
