"""Small tools that Torchreid's scripts import from ``torchreid.utils``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from reidcore.cli import echo
from reidcore.utils import PathLike, download

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

_MOST_BYTES, _MOST_SECONDS = 100 << 30, 24 * 3600


def listdir_nohidden(path: PathLike, sort: bool = False) -> list[str]:
    """Return the names in a folder that do not begin with a dot.

    Args:
        path: the folder.
        sort: in their order; by default in the file system's.
    """
    names = [each.name for each in Path(path).iterdir() if not each.name.startswith(".")]
    return sorted(names) if sort else names


def download_url(url: str, dst: PathLike) -> None:
    """Download a file, which is there whole or not at all.

    Args:
        url: its https address.
        dst: where it goes.

    Raises:
        UserError: if the address is not https, or does not give the file.
    """
    download(url, Path(dst), max_bytes=_MOST_BYTES, max_seconds=_MOST_SECONDS)


def set_bn_to_eval(m: nn.Module) -> None:
    """Put a batch norm in evaluation mode: ``model.apply(set_bn_to_eval)``.

    Its running statistics stay as they are; its scale and shift are still learnt.
    """
    if "BatchNorm" in type(m).__name__:
        m.eval()


def adjust_learning_rate(
    optimizer: Optimizer,
    base_lr: float,
    epoch: int,
    stepsize: int = 20,
    gamma: float = 0.1,
    linear_decay: bool = False,
    final_lr: float = 0,
    max_epoch: int = 100,
) -> None:
    """Set the learning rate of an epoch in every group of an optimizer.

    Args:
        optimizer: whose groups are set.
        base_lr: rate of epoch 0.
        epoch: counted from 0.
        stepsize: epochs between two drops.
        gamma: what a drop multiplies the rate by.
        linear_decay: go straight from ``base_lr`` to ``final_lr`` over ``max_epoch`` instead.
        final_lr: rate of ``max_epoch``.
        max_epoch: where a linear decay ends.
    """
    if linear_decay:
        rate = base_lr + (final_lr - base_lr) * epoch / max_epoch
    else:
        rate = base_lr * gamma ** (epoch // stepsize)
    for group in optimizer.param_groups:
        group["lr"] = rate


class RankLogger:
    """Rank-1 of each target over the epochs, and its summary.

    Args:
        sources: names of the datasets that are learnt from.
        targets: names of those that are tested on.
    """

    def __init__(self, sources: str | Iterable[str], targets: str | Iterable[str]) -> None:
        self.sources = [sources] if isinstance(sources, str) else list(sources)
        self.targets = [targets] if isinstance(targets, str) else list(targets)
        self.logger: dict[str, dict[str, list[float]]] = {
            name: {"epoch": [], "rank1": []} for name in self.targets
        }

    def write(self, name: str, epoch: int, rank1: float) -> None:
        """Keep a target's rank-1, in [0, 1], of an epoch."""
        self.logger[name]["epoch"].append(epoch)
        self.logger[name]["rank1"].append(rank1)

    def show_summary(self) -> None:
        """Write what was kept to standard output, a line for each epoch."""
        echo("=> Show performance summary")
        for name, kept in self.logger.items():
            echo(f"{name} ({'source' if name in self.sources else 'target'})")
            for epoch, rank1 in zip(kept["epoch"], kept["rank1"], strict=True):
                echo(f"- epoch {epoch}\t rank1 {rank1:.1%}")
