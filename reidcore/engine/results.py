"""The record of a run: what ``results.json`` holds."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from reidcore._environment import peak_memory, versions
from reidcore._tables import plain
from reidcore.engine.selection import Selection, rule_in_words
from reidcore.evaluation.report import averages, conditions_line, further_table, table
from reidcore.models.weights.trained import chosen_on
from reidcore.models.weights.untrained import untrained_weights

if TYPE_CHECKING:
    from rich.console import RenderableType

    from reidcore.config.options.plan import RunPlan
    from reidcore.engine.engine import Engine
    from reidcore.engine.evaluator import TargetResult
    from reidcore.engine.stages import Stage
    from reidcore.engine.step import StepPlan

FORMAT = 1


@dataclass
class RunRecord:
    """What a run has done so far.

    Attributes:
        history: an entry for each epoch that is done: its number, the averages of what the steps
            reported, the learning rate, seconds, and the rank-1 if it was tested.
        targets: the results of the last test, by target.
        tested_epoch: the epochs that their model had been trained for; None if that is not known.
        selection: the figures that the best checkpoint is chosen by.
        stopped: why a plugin ended the training before its last epoch; None if none did.
        last_stage: the stage that ends the training, once it has begun; None until then.
    """

    history: list[dict[str, Any]] = field(default_factory=list)
    targets: dict[str, TargetResult] = field(default_factory=dict)
    tested_epoch: int | None = None
    selection: Selection = field(default_factory=Selection)
    stopped: str | None = None
    last_stage: Stage | None = None


def record_run(
    engine: Engine,
    plan: RunPlan,
    step: StepPlan,
    timings: Mapping[str, float],
    is_finished: bool,
) -> dict[str, Any]:
    """Return everything that is needed to understand a run's figures and to repeat them."""
    return {
        "format": FORMAT,
        "finished": is_finished,
        "targets": {
            name: record_target(result, plan) for name, result in engine.record.targets.items()
        },
        "average": averages(
            {name: result.ranking for name, result in engine.record.targets.items()}, plan.ranks
        ),
        "not_tested": None if engine.test_loader else "there is no target (data.targets)",
        "weights": untrained_weights(engine.model) or None,
        "selection": record_selection(engine, plan),
        "training": engine.record.history,
        "max_epoch": plan.max_epoch,
        "stopped": engine.record.stopped,
        "timings": dict(timings),
        "config": engine.config,
        "plugins": engine.plugins.record(),
        "step": step.as_record(),
        "dataset": engine.data_facts.fingerprints(),
        "left_out": {
            name: [found.as_dict() for found in kinds]
            for name, kinds in engine.data_facts.left_out.items()
        },
        "versions": versions(),
        "device": str(engine.device),
        "speed": dict(engine.speed),
        "peak_memory": _peak_memory(engine.device),
    }


def record_selection(engine: Engine, plan: RunPlan) -> dict[str, Any] | None:
    """Return how the best checkpoint was chosen, and what the targets' figures are of.

    A test of weights has what their checkpoint says of its choice; None if that is nothing.
    """
    if plan.test_only:
        chosen = chosen_on(engine.model)
        return {**chosen, "tested_epoch": chosen["epoch"]} if chosen else None
    selection = engine.record.selection
    values = {str(epoch): value for epoch, value in selection.values.items()}
    return {**selection.chosen_on(), "values": values, "tested_epoch": engine.record.tested_epoch}


def tested_weights(engine: Engine) -> str:
    """Say what the figures of a test are of, where that is not the model as it was trained last."""
    if weights := untrained_weights(engine.model):
        return weights
    chosen = chosen_on(engine.model)
    if not chosen:
        return ""
    return f"epoch {chosen['epoch']}, the best by {rule_in_words(chosen)}"


def _peak_memory(device: torch.device) -> dict[str, int | None]:
    """Return the peaks so far in bytes: of this process, and of its tensors on a GPU."""
    on_gpu = torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None
    return {"process": peak_memory(), "cuda": on_gpu}


def record_target(result: TargetResult, plan: RunPlan) -> dict[str, Any]:
    """Return the figures of one target."""
    return {
        "pictures": None,
        **{kind: str(path) for kind, path in result.files.items()},
        **result.ranking.summary(plan.ranks),
        "figures": result.ranking.further(),
        "intervals": {name: list(ends) for name, ends in result.ranking.intervals.items()},
        "conditions": result.conditions,
        "num_valid_queries": result.ranking.num_valid,
        "num_skipped_queries": result.ranking.num_skipped,
        "num_unmatched_queries": result.ranking.num_unmatched,
        "num_skipped_images": result.num_skipped,
        "num_own_files": result.num_own_files,
        "distance": plan.dist_metric,
        "rerank": plan.rerank,
        "protocol": plan.protocol,
        "ties": plan.ties,
        "timings": result.timings,
    }


def results_table(
    results: Mapping[str, TargetResult], ranks: Sequence[int], weights: str = ""
) -> tuple[RenderableType, str]:
    """Return the figures of all targets as tables with what they are, and as plain text.

    Args:
        results: target name -> what was found.
        ranks: the ranks of the CMC to show.
        weights: what the figures are of, if of weights that nobody trained.
    """
    from rich.console import Console, Group

    rankings = {name: result.ranking for name, result in results.items()}
    shown, further = table(rankings, ranks), further_table(rankings)
    if weights:
        shown.title = f"{shown.title} of {weights}"
    lines = [
        plain(conditions_line(name, result.conditions, result.ranking), style="dim")
        for name, result in results.items()
    ]
    tables = Group(*filter(None, [shown, further]), *lines)
    text = io.StringIO()
    Console(file=text, width=10_000, color_system=None, legacy_windows=False).print(tables)
    return tables, text.getvalue().rstrip()
