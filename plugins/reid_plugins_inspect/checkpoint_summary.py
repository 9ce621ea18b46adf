"""What a checkpoint says of itself: its model, its epoch, and how it was chosen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reidcore.errors import CheckpointError, counted
from reidcore.models import record_of
from reidcore.utils import load_checkpoint


def summarize_checkpoint(path: str) -> dict[str, Any]:
    """Return what there is to know about a checkpoint, in plain values.

    Args:
        path: the file; nothing that it holds is executed.

    Raises:
        CheckpointError: if it is missing, damaged, or no checkpoint of training.
    """
    held = load_checkpoint(path)
    if not isinstance(weights := held.get("state_dict"), Mapping):
        raise CheckpointError(
            f"{path!r} holds no weights under 'state_dict'", "Give a file of a training."
        )
    own = record_of(held, path)
    model = own.get("model") or {}
    rank1 = held.get("rank1")
    return {
        "checkpoint": path,
        "model": model.get("name"),
        "parameters": sum(value.numel() for value in weights.values() if hasattr(value, "numel")),
        "averaged": own.get("averaged", False),
        "epoch": held.get("epoch"),
        "step": own.get("step"),
        "rank1": None if rank1 is None else float(rank1),
        "chosen_on": own.get("chosen_on"),
        "version": own.get("version"),
        "plugins": [each.get("name") for each in own.get("plugins") or ()],
    }


def summary_lines(summary: Mapping[str, Any]) -> Iterator[str]:
    """Yield a checkpoint's summary in lines, for people."""
    yield f"checkpoint {summary['checkpoint']}"
    yield f"model: {summary['model'] or 'not recorded'}"
    yield f"numbers in its weights and buffers: {summary['parameters']:,}"
    if summary["averaged"]:
        yield "its weights are an average of those in training"
    if summary["epoch"] is not None:
        step = summary["step"] or 0
        further = f" and {counted(step, 'batch', 'batches')}" if step else ""
        yield f"trained for {counted(int(summary['epoch']), 'epoch')}{further}"
    if summary["rank1"] is not None:
        yield f"rank-1 on the first target: {summary['rank1']:.1%}"
    if chosen := summary["chosen_on"]:
        is_target = ", a target" if chosen["select_on"] == "targets" else ""
        yield (
            f"chosen as the best by {chosen['metric']} on {chosen['of']}{is_target}: "
            f"{chosen['value']:.4g} after {counted(chosen['epoch'], 'epoch')}"
        )
    if summary["version"]:
        yield f"written by reidcore {summary['version']}"
    if summary["plugins"]:
        yield f"plugins: {', '.join(map(str, summary['plugins']))}"
