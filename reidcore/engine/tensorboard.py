"""TensorBoard scalars, under Torchreid's tags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

    from reidcore._files import PathLike
    from reidcore.engine.evaluator import TargetResult


def open_writer(save_dir: PathLike) -> SummaryWriter:
    """Open a writer of event files in a folder."""
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(log_dir=str(save_dir))


def write_training(writer: SummaryWriter | None, scalars: Mapping[str, float], step: int) -> None:
    """Write training figures after ``step`` batches."""
    _write(writer, {f"Train/{name}": value for name, value in scalars.items()}, step)


def write_targets(
    writer: SummaryWriter | None, results: Mapping[str, TargetResult], epoch: int
) -> None:
    """Write the figures of each target after ``epoch`` epochs."""
    for target, result in results.items():
        figures = {"rank1": result.ranking.cmc_at(1), "mAP": result.ranking.mAP}
        figures["mINP"] = result.ranking.mINP
        _write(writer, {f"Test/{target}/{name}": value for name, value in figures.items()}, epoch)


def _write(writer: SummaryWriter | None, scalars: Mapping[str, float], step: int) -> None:
    if writer is None:
        return
    for tag, value in scalars.items():
        writer.add_scalar(tag, value, step)
