"""Choosing a model: which epoch's checkpoint is the best so far, and by which figure."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from reidcore.config.options.test import VALIDATION
from reidcore.errors import UserError, did_you_mean, quoted
from reidcore.evaluation import Labels, RankingResult, evaluate_features

if TYPE_CHECKING:
    from reidcore.config.options.plan import RunPlan
    from reidcore.engine.engine import Engine
    from reidcore.engine.evaluator import TargetResult
    from reidcore.evaluation import EvaluationProtocol

_log = logging.getLogger(__name__)

_RANK = re.compile(r"rank([1-9]\d*)")


class Best(NamedTuple):
    """The best epoch so far.

    Attributes:
        epoch: the number of epochs done.
        value: its figure.
    """

    epoch: int
    value: float


@dataclass
class Selection:
    """What tests after epochs found of the figure that a model is chosen by.

    Attributes:
        on: ``targets``, ``validation`` or ``none``.
        metric: the figure, as results name it; the larger the better.
        of: the set that it is of: a target, or ``validation``; empty where nothing is tested.
        values: epochs done -> the figure after them, in order.
    """

    on: str = "targets"
    metric: str = "rank1"
    of: str = ""
    values: dict[int, float] = field(default_factory=dict)

    @classmethod
    def planned(cls, engine: Engine, plan: RunPlan) -> Selection:
        """Return the choice that a run makes, before any test."""
        of = VALIDATION if plan.select_on == VALIDATION else next(iter(engine.test_loader), "")
        return cls(plan.select_on, plan.select_metric, "" if plan.select_on == "none" else of)

    @property
    def best(self) -> Best | None:
        """The first epoch with the largest figure; None before a test."""
        if not self.values:
            return None
        return Best(*max(self.values.items(), key=lambda item: item[1]))

    @property
    def epochs_since_best(self) -> int:
        """How many epochs the last test came after the best one; 0 before a test."""
        return max(self.values) - self.best.epoch if self.best else 0

    def take(self, epoch: int, results: Mapping[str, TargetResult]) -> bool:
        """Take in a test after an epoch.

        Returns:
            Whether it is the best so far.
        """
        if self.on == "none" or self.of not in results:
            return False
        value = figure_of(results[self.of].ranking, self.metric)
        if value is None:
            _log.warning("No %s of %s after epoch %d: not chosen", self.metric, self.of, epoch)
            return False
        self.values[epoch] = value
        return self.best == (epoch, value)

    def take_up(self, saved: Mapping[str, Any], history: list[dict[str, Any]]) -> None:
        """Go on from a checkpoint's record.

        Args:
            saved: what `state_dict` gave; empty in a checkpoint that has none.
            history: the epochs done, whose rank-1 was what models were chosen by before that.
        """
        if not saved:
            if (self.on, self.metric) == ("targets", "rank1"):
                self.values = {each["epoch"]: each["rank1"] for each in history if "rank1" in each}
            return
        former = Selection(*(saved[key] for key in ("on", "metric", "of", "values")))
        if former.values and former.rule != self.rule:
            _log.warning(
                "The best so far was chosen by %s; it is %s now, and the choice begins anew",
                former.rule,
                self.rule or "none",
            )
        elif self.on != "none":
            self.values = dict(former.values)

    @property
    def rule(self) -> str:
        """What is chosen by, in words: ``rank1 on market1501, a target``; empty if nothing is."""
        return rule_in_words(self.chosen_on()) if self.on != "none" else ""

    def state_dict(self) -> dict[str, Any]:
        """Return everything in plain values."""
        return asdict(self)

    def chosen_on(self) -> dict[str, Any]:
        """Return what the best checkpoint says of how it was chosen."""
        best = self.best._asdict() if self.best else dict.fromkeys(Best._fields)
        return {"select_on": self.on, "metric": self.metric, "of": self.of, **best}


def rule_in_words(chosen: Mapping[str, Any]) -> str:
    """Return by what a model was chosen, of what `Selection.chosen_on` gave."""
    is_target = ", a target" if chosen["select_on"] == "targets" else ""
    return f"{chosen['metric']} on {chosen['of']}{is_target}"


def figure_of(ranking: RankingResult, name: str) -> float | None:
    """Return a figure by its name in results; None if it was not measured."""
    if rank := _RANK.fullmatch(name):
        return ranking.cmc_at(int(rank[1]))
    if name in ("mAP", "mINP"):
        return float(getattr(ranking, name))
    return ranking.further().get(name)


def check_selection(engine: Engine, plan: RunPlan, protocol: EvaluationProtocol) -> None:
    """Refuse a choice by what will not be there.

    Raises:
        UserError: if no identity is held out for validation, or no test gives the figure.
    """
    if plan.test_only or plan.select_on == "none":
        return
    facts = engine.data_facts
    if plan.select_on == VALIDATION and not facts.validation_loader:
        raise UserError(
            "the model is to be chosen on validation, and the data manager holds nobody out",
            "Give it validation_share=0.1, or set test.select_on to targets or none.",
        )
    if plan.select_on == VALIDATION and plan.eval_freq <= 0:
        _log.warning(
            "test.eval_freq=%d: validation comes after the last epoch alone, which is then chosen",
            plan.eval_freq,
        )
    known = ["mAP", "mINP", *(f"rank{n}" for n in range(1, plan.reported_max_rank + 1))]
    splits = facts.test_dataset.get(Selection.planned(engine, plan).of)
    if plan.select_metric in known or splits is None:
        return
    known += _own_figures(protocol, splits)
    if (name := plan.select_metric) not in known:
        raise UserError(
            f"test.select_metric is {quoted(name)}, which tests by {plan.protocol} do not give",
            f"{did_you_mean(name, known)} Ranks go up to test.max_rank and test.ranks.".strip(),
        )


def _own_figures(protocol: EvaluationProtocol, splits: Mapping[str, Any]) -> list[str]:
    """Return the names of a protocol's own figures, found by a trial on these labels."""
    labels = Labels.from_samples(splits["query"], splits["gallery"])
    query, gallery = (torch.ones(len(splits[split]), 1) for split in ("query", "gallery"))
    people = labels.q_pids, labels.g_pids, labels.q_camids, labels.g_camids
    shared = labels.q_columns.keys() & labels.g_columns.keys()
    columns = {name: labels.column(name) for name in shared}
    trial = evaluate_features(query, gallery, *people, protocol=protocol, columns=columns)
    return list(trial.figures)
