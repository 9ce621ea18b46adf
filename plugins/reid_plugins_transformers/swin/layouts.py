"""How SOLIDER's files name and order the weights of a Swin Transformer.

They have mmsegmentation's names and its order of merged patches, channel by channel: below
``backbone.`` in a checkpoint of pre-training (https://github.com/tinyvision/SOLIDER), below
``base.`` beside ``bottleneck`` and ``classifier`` in one of re-identification
(https://github.com/tinyvision/SOLIDER-REID).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor, nn

from reid_plugins_transformers.swin.network import SoliderSwin
from reidcore.models import WeightsLayout

_FIRST = "patch_embed.projection.weight"
_DERIVED = ".relative_position_index"

# What a name below the prefix becomes below ``backbone.``; the first one that fits counts.
_RENAMED = (
    (re.compile(r"^patch_embed\.projection\."), "patch_embed.proj."),
    (re.compile(r"^stages\.(\d+\.blocks\.\d+)\.attn\.w_msa\."), r"layers.\1.attn."),
    (re.compile(r"^stages\.(\d+\.blocks\.\d+)\.ffn\.layers\.0\.0\."), r"layers.\1.mlp.fc1."),
    (re.compile(r"^stages\.(\d+\.blocks\.\d+)\.ffn\.layers\.1\."), r"layers.\1.mlp.fc2."),
    (re.compile(r"^stages\.(\d+\.blocks\.)"), r"layers.\1"),
)
_MERGING = re.compile(r"^stages\.(\d+)\.downsample\.(.+)")
_CONTROLLER = re.compile(r"^semantic_embed_([wb])\.(\d+)\.(\w+)")
_NORM = re.compile(r"^norm(\d+)\.(\w+)")

_NO_CONTROLLERS = (
    "The file has no semantic controllers, so that the network's own are random: build it with "
    "semantic_weight=None (in a config: model.semantic_weight: null)."
)


def read_solider(model: nn.Module, tensors: Mapping[str, Tensor]) -> WeightsLayout | None:
    """Return the entries of one of SOLIDER's files under our names.

    Entries without a counterpart keep their keys: norms and a controller behind stages whose maps
    are not used, and the head of pre-training. Which offset has which bias follows from the window,
    and is not read.

    Args:
        model: a ``SoliderSwin``; other networks have no such reading.
        tensors: the file's entries; others than SOLIDER's are left alone.
    """
    prefix = next((key.removesuffix(_FIRST) for key in tensors if key.endswith(_FIRST)), None)
    if prefix is None or not isinstance(model, SoliderSwin):
        return None
    stages = len(model.backbone.architecture.depths)
    renamed: dict[str, Tensor] = {}
    file_keys: dict[str, str] = {}
    for key, value in tensors.items():
        if key.endswith(_DERIVED):
            continue
        name, own = _entry(key, value, prefix, stages)
        renamed[name], file_keys[name] = own, key
    lacks_controllers = not any("semantic_embed" in key for key in tensors)
    is_controlled = model.semantic_weight is not None
    advice = _NO_CONTROLLERS if is_controlled and lacks_controllers else ""
    return WeightsLayout("SOLIDER's keys", renamed, file_keys, advice)


def _entry(key: str, value: Tensor, prefix: str, stages: int) -> tuple[str, Tensor]:
    if key.startswith("bottleneck."):
        return f"head.neck.{key.removeprefix('bottleneck.')}", value
    if not key.startswith(prefix):
        return key, value
    inner = key.removeprefix(prefix)
    if merging := _MERGING.match(inner):
        name = f"layers.{int(merging[1]) + 1}.downsample.{merging[2]}"
        return f"backbone.{name}", _column_by_column(value)
    if name := _name(inner, stages):
        return f"backbone.{name}", value
    return key, value


def _name(inner: str, stages: int) -> str:
    """Return what an entry is called below ``backbone.``; nothing if it has no counterpart."""
    if controller := _CONTROLLER.match(inner):
        kind, stage, entry = controller.groups()
        after = int(stage) + 1
        does = "scale" if kind == "w" else "shift"
        return f"layers.{after}.semantic.{does}_{entry}" if after < stages else ""
    if norm := _NORM.match(inner):
        return f"norm.{norm[2]}" if int(norm[1]) == stages - 1 else ""
    for pattern, renamed in _RENAMED:
        if pattern.match(inner):
            return pattern.sub(renamed, inner)
    return inner


def _column_by_column(entry: Tensor) -> Tensor:
    """Order the last dimension of a merging's entry as Swin's own merging does."""
    outer = entry.shape[:-1]
    # (..., C * row * column) -> (..., column * row * C)
    squares = entry.reshape(*outer, -1, 2, 2)
    return squares.movedim((-1, -2, -3), (-3, -2, -1)).flatten(len(outer))
