"""The run plan: the many arguments of ``Engine.run``, checked once and passed as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reidcore.errors import UserError


@dataclass(frozen=True)
class RunPlan:
    """What a run is to do; epochs count from 0.

    Attributes:
        save_dir: where checkpoints, logs, pictures and ``results.json`` go.
        max_epoch: train until this many epochs are done.
        start_epoch: the epochs that are done already.
        print_freq: batches between two lines of output.
        fixbase_epoch: epochs in which only ``open_layers`` are trained.
        open_layers: names of the layers that stay open in them.
        start_eval: no test before this many epochs are done.
        eval_freq: test after every so many epochs; -1 tests at the end alone.
        test_only: test and do not train.
        dist_metric: ``euclidean`` or ``cosine``, or a metric that a plugin understands.
        normalize_feature: scale features to unit length first.
        visrank: draw ranked results after the last test.
        visrank_topk: gallery images in each of them.
        protocol: the evaluation protocol's name.
        protocol_options: the protocol's own options.
        ranks: the CMC ranks to report.
        rerank: re-rank by k-reciprocal neighbours, on distances of ``dist_metric``.
        ties: ``pessimistic`` or ``optimistic``.
        max_rank: length of the CMC curve.
    """

    save_dir: str = "log"
    max_epoch: int = 0
    start_epoch: int = 0
    print_freq: int = 10
    fixbase_epoch: int = 0
    open_layers: tuple[str, ...] = ()
    start_eval: int = 0
    eval_freq: int = -1
    test_only: bool = False
    dist_metric: str = "euclidean"
    normalize_feature: bool = False
    visrank: bool = False
    visrank_topk: int = 10
    protocol: str = "market1501"
    ranks: tuple[int, ...] = (1, 5, 10, 20)
    rerank: bool = False
    ties: str = "pessimistic"
    max_rank: int = 50
    protocol_options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _at_least("max_epoch", self.max_epoch, 0)
        _at_least("start_epoch", self.start_epoch, 0)
        _at_least("print_freq", self.print_freq, 1)
        _at_least("fixbase_epoch", self.fixbase_epoch, 0)
        _at_least("visrank_topk", self.visrank_topk, 1)
        if not self.ranks or min(self.ranks) < 1:
            raise UserError(f"ranks is {list(self.ranks)}", "Give ranks of 1 or more.")

    @property
    def reported_max_rank(self) -> int:
        """The CMC curve's length, long enough for every reported rank."""
        return max(self.max_rank, *self.ranks)

    def tests_after(self, done: int) -> bool:
        """Say whether to test once ``done`` epochs are done, before the last one."""
        if self.eval_freq <= 0 or done >= self.max_epoch:
            return False
        return done >= self.start_eval and done % self.eval_freq == 0


def as_names(value: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return names as a tuple, from one name, several, or None."""
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


def _at_least(name: str, value: int, least: int) -> None:
    if value < least:
        raise UserError(f"{name} is {value}", f"Give {least} or more.")
