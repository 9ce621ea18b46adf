"""Vision transformers' weights as they are published, under our names.

Files of timm, of MAE and HAP, of DINO, TransReID-SSL and PASS (the teacher's), and checkpoints of
TransReID have the same keys for the same layers, below a prefix of their own. Our last block is the
global branch's, and with jigsaw parts the local branch begins as its copy.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from reid_plugins_transformers.transreid.model import TransReID
from reidcore.models import WeightsLayout

Rules = tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], list[str]]], ...]

# Keys below the prefix of the transformer. PASS numbers its part tokens from 1.
_ENCODER: Rules = (
    (re.compile(r"part_token(\d+)"), lambda m: [f"base.part_tokens.{int(m[1]) - 1}"]),
    (re.compile(r"cls_pos"), lambda m: ["base.prefix_positions.0"]),
    (re.compile(r"part(\d+)_pos"), lambda m: [f"base.prefix_positions.{m[1]}"]),
    (re.compile(r"sie_embed"), lambda m: ["side.table"]),
)
# What stands beside the transformer in TransReID's checkpoints.
_HEADS: Rules = (
    (re.compile(r"b1\.(.+)"), lambda m: [f"global_branch.{m[1]}"]),
    (re.compile(r"b2\.(.+)"), lambda m: [f"local_branch.{m[1]}"]),
    (re.compile(r"bottleneck(?:_(\d+))?\.(.+)"), lambda m: [f"necks.{m[1] or 0}.{m[2]}"]),
    (re.compile(r"classifier(?:_(\d+))?\.(weight)"), lambda m: [f"classifier.{m[1] or 0}.{m[2]}"]),
)


def read(model: nn.Module, tensors: Mapping[str, Tensor]) -> WeightsLayout | None:
    """Return a vision transformer's entries under the names of ``TransReID``.

    Args:
        model: others than ``TransReID`` are none of these networks.
        tensors: the file's entries.
    """
    prefix = next((key.removesuffix("cls_token") for key in tensors if _is_class_token(key)), None)
    if not isinstance(model, TransReID) or prefix is None:
        return None
    has_branches = any(key.startswith("b1.") for key in tensors)
    names = {key: _names(model, prefix, key, has_branches) for key in tensors}
    is_distilled = f"{prefix}dist_token" in tensors
    entries = {
        name: _own(name, value, is_distilled)
        for key, value in tensors.items()
        for name in names[key]
    }
    file_keys = {name: key for key in tensors for name in names[key]}
    whose = "TransReID's" if prefix == "base." else "a vision transformer's"
    return WeightsLayout(f"{whose} keys", entries, file_keys)


def _is_class_token(key: str) -> bool:
    return key.rpartition(".")[2] == "cls_token"


def _names(model: TransReID, prefix: str, key: str, has_branches: bool) -> list[str]:
    """Return our names of a file's entry; an unknown one keeps its key.

    Args:
        model: whose names they are.
        prefix: of the transformer's keys in the file.
        key: the entry's.
        has_branches: whether the file has the branches apart, whose last block then is not used.
    """
    if not key.startswith(prefix):
        return _by_rules(_HEADS, key, [key])
    inner = key.removeprefix(prefix)
    last = re.sub(rf"^blocks\.{model.form.depth - 1}\.", "0.", inner)
    last = re.sub(r"^norm\.", "1.", last)
    if last == inner:
        return _by_rules(_ENCODER, inner, [f"base.{inner}"])
    branches = ["global_branch", "local_branch"] if model.jigsaw else ["global_branch"]
    return [key] if has_branches else [f"{branch}.{last}" for branch in branches]


def _by_rules(rules: Rules, key: str, otherwise: list[str]) -> list[str]:
    matches = ((rule.fullmatch(key), names) for rule, names in rules)
    return next((names(match) for match, names in matches if match), otherwise)


def _own(name: str, value: Tensor, is_distilled: bool) -> Tensor:
    """Return an entry in the form that it has here."""
    if name == "side.table" and value.dim() == 3:  # (rows, 1, D)
        return value.squeeze(1)
    if name == "base.pos_embed" and is_distilled:  # without that of the token that teachers train
        return torch.cat([value[:, :1], value[:, 2:]], dim=1)
    return value
