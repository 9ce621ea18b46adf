"""How SOLIDER's files name and order the weights of a Swin Transformer.

They have mmsegmentation's names and its order of merged patches, channel by channel: below
``backbone.`` in a checkpoint of pre-training (https://github.com/tinyvision/SOLIDER), below
``base.`` beside ``bottleneck`` and ``classifier`` in one of re-identification
(https://github.com/tinyvision/SOLIDER-REID).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

_FIRST = "patch_embed.projection.weight"

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


def from_solider(
    found: Mapping[str, Tensor], stages: int
) -> tuple[dict[str, Tensor], dict[str, str]] | None:
    """Return a file's entries under our names, and the file's key of each name.

    Entries without a counterpart keep their keys: norms and a controller behind stages whose maps
    are not used, and the head of pre-training.

    Args:
        found: the file's entries.
        stages: how many the network has.

    Returns:
        None for a file that is not SOLIDER's.
    """
    prefix = next((key.removesuffix(_FIRST) for key in found if key.endswith(_FIRST)), None)
    if prefix is None:
        return None
    tensors: dict[str, Tensor] = {}
    file_keys: dict[str, str] = {}
    for key, value in found.items():
        name, own = _entry(key, value, prefix, stages)
        tensors[name], file_keys[name] = own, key
    return tensors, file_keys


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
