"""The published checkpoints of LightMBN: other names for the same layers.

Convolutions of 1x1 on pooled maps are linear layers here. Necks have no shift here; there it is
zero and does not learn, and is reported as unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from torch import Tensor, nn

from reidcore.models import WeightsLayout

_BACKBONE = "backone."  # so it is spelt there
_BRANCHES = {"global_branch": "whole", "partial_branch": "part", "channel_branch": "channel"}
# The heads in the order of our parts.
_HEADS = (
    *(f"reduction_{number}" for number in (0, 4, 1, 2, 3)),
    "reduction_ch_0",
    "reduction_ch_1",
)


def read(model: nn.Module, tensors: Mapping[str, Tensor]) -> WeightsLayout | None:
    """Return the entries of one of LightMBN's files under our names.

    Args:
        model: of any kind.
        tensors: the file's entries; others than LightMBN's are left alone.
    """
    if not any(key.startswith(_BACKBONE) for key in tensors):
        return None
    prefixes = dict(_prefixes())
    named: dict[str, Tensor] = {}
    file_keys: dict[str, str] = {}
    for key, value in tensors.items():
        name = _renamed(key, prefixes)
        named[name] = value.flatten(1) if name.startswith("reductions.") else value
        file_keys[name] = key
    return WeightsLayout("LightMBN's keys", named, file_keys)


def _renamed(key: str, prefixes: Mapping[str, str]) -> str:
    theirs = next((prefix for prefix in prefixes if key.startswith(prefix)), "")
    return prefixes[theirs] + key.removeprefix(theirs) if theirs else key


def _prefixes() -> Iterator[tuple[str, str]]:
    """Yield how names begin there, and here."""
    for place, layer in enumerate(("conv1", "maxpool", "conv2", "conv3")):
        yield f"{_BACKBONE}{place}.", f"backbone.{layer}."
    for theirs, ours in _BRANCHES.items():
        for place, layer in enumerate(("conv3", "conv4", "conv5")):
            yield f"{theirs}.{place}.", f"branches.{ours}.{layer}."
    yield "batch_drop_block.drop_batch_bottleneck.", "bottleneck."
    yield "shared.0.", "shared.conv."
    yield "shared.1.", "shared.bn."
    for part, head in enumerate(_HEADS):
        yield f"{head}.reduction.", f"reductions.{part}."
        yield f"{head}.bn.", f"necks.{part}."
        yield f"{head}.classifier.", f"classifier.{part}."
