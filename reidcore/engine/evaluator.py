"""Testing a model on one target: features, distances, ranks."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from reidcore import registry
from reidcore.config.options.plan import RunPlan
from reidcore.data.sample import Sample
from reidcore.engine.hook_results import checked_pair
from reidcore.errors import DataError, UserError
from reidcore.evaluation import Labels, RankingResult, RerankedDistances, evaluate
from reidcore.plugins import Plugins

if TYPE_CHECKING:
    from reidcore.engine.engine import Engine
    from reidcore.evaluation import Distances, EvaluationProtocol, Relations

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Extracted:
    """The features of a split, and whose they are.

    Attributes:
        features: ``(N, D)``, float32, on the CPU.
        samples: the images, in the same order; unreadable ones that were skipped are not in it.
        num_skipped: how many were.
        seconds: time spent, reading included.
    """

    features: Tensor
    samples: list[Sample]
    num_skipped: int
    seconds: float


@dataclass(frozen=True)
class TargetResult:
    """What a test on one target found.

    Attributes:
        ranking: the figures.
        timings: seconds by phase, and images per second.
        num_skipped: unreadable images left out.
        pictures: the folder of ranked-result pictures, if they were drawn.
    """

    ranking: RankingResult
    timings: dict[str, float]
    num_skipped: int
    pictures: Path | None = None


def test_target(engine: Engine, name: str) -> TargetResult:
    """Test the engine's model on one target, as the engine's plan says.

    Raises:
        UserError: if the target has no query, no gallery or no valid query.
    """
    plan = engine.plan
    draw = plan.visrank and engine.is_final_test
    query = extract(engine, name, "query")
    gallery = extract(engine, name, "gallery")
    started = time.perf_counter()
    distances = measure(engine.plugins, query.features, gallery.features, plan)
    labels = Labels(*_columns(query, gallery))
    protocol = make_protocol(engine.plugins, plan)
    ranking = _named(
        name,
        lambda: evaluate(
            distances, labels, protocol=protocol, max_rank=plan.reported_max_rank, ties=plan.ties
        ),
    )
    seconds = time.perf_counter() - started
    relations = protocol.relations(labels) if hasattr(protocol, "relations") else None
    pictures = _draw(distances, query, gallery, name, plan, relations) if draw else None
    images = len(query.samples) + len(gallery.samples)
    extraction = query.seconds + gallery.seconds
    timings = {
        "extraction_seconds": extraction,
        "images_per_second": images / extraction,
        "ranking_seconds": seconds,
    }
    return TargetResult(ranking, timings, query.num_skipped + gallery.num_skipped, pictures)


def make_protocol(plugins: Plugins, plan: RunPlan) -> EvaluationProtocol:
    """Make the protocol that a plan names, with its options."""
    factory = registry.find("protocols", plan.protocol, plugins).load()
    protocol: EvaluationProtocol = factory(**plan.protocol_options)
    return protocol


def extract(engine: Engine, name: str, split: str) -> Extracted:
    """Compute the features of one split of a target."""
    features: list[Tensor] = []
    samples: list[Sample] = []
    started = time.perf_counter()
    loader: Iterable[Mapping[str, Any]] = engine.test_loader[name][split]
    engine.accelerator.receive(loader)
    with torch.inference_mode():
        for batch in engine.progress(loader, f"{name}: {split}"):
            engine.interruption.check()
            images, pids, camids = engine.parse_data_for_eval(batch)
            with engine.accelerator.autocast():
                computed = engine.extract_features(engine.accelerator.move(images))
            features.append(computed.float().cpu())
            samples.extend(map(Sample, batch["impath"], _plain(pids), _plain(camids)))
    if not features:
        raise DataError(
            f"the {split} of {name} is empty", "Test on a target that has query and gallery images."
        )
    # Asked of the loader, which never yields a batch without a readable image.
    skipped = len(getattr(loader, "skipped", ()))
    return Extracted(torch.cat(features), samples, skipped, time.perf_counter() - started)


def measure(plugins: Plugins, query: Tensor, gallery: Tensor, plan: RunPlan) -> Distances:
    """Transform features ``(Q, D)`` and ``(G, D)`` and give their distances.

    Re-ranking comes last. It needs the distances of all images to all, so the hook is then called
    once with both sides together, in the place of query and of gallery.
    """
    if plan.normalize_feature:
        query, gallery = F.normalize(query, dim=1), F.normalize(gallery, dim=1)
    answer = plugins.hook.reid_transform_features(query=query, gallery=gallery)
    query, gallery = checked_pair(answer, plugins)
    num_queries = len(query)
    if plan.rerank:
        query = gallery = torch.cat([query, gallery])
    distances: Distances = plugins.hook.reid_compute_distance(
        query=query, gallery=gallery, metric=plan.dist_metric
    )
    return RerankedDistances(distances, num_queries) if plan.rerank else distances


def _draw(
    distances: Distances,
    query: Extracted,
    gallery: Extracted,
    name: str,
    plan: RunPlan,
    relations: Relations | None,
) -> Path:
    from reid_plugins_inspect.pictures import draw_ranked_results

    folder = Path(plan.save_dir) / f"visrank_{name}"
    draw_ranked_results(
        distances,
        query.samples,
        gallery.samples,
        folder,
        topk=plan.visrank_topk,
        relations=relations,
    )
    _log.info("Ranked results drawn in %s", folder)
    return folder


def _columns(query: Extracted, gallery: Extracted) -> tuple[np.ndarray, ...]:
    def column(extracted: Extracted, field: str) -> np.ndarray:
        return np.array([getattr(s, field) for s in extracted.samples], dtype=np.int64)

    return (
        column(query, "pid"),
        column(gallery, "pid"),
        column(query, "camid"),
        column(gallery, "camid"),
    )


def _named(name: str, compute: Callable[[], RankingResult]) -> RankingResult:
    try:
        return compute()
    except UserError as error:
        raise type(error)(f"target {name!r}: {error.what}", error.hint) from error


def _plain(values: Tensor | Iterable[int]) -> list[int]:
    return values.tolist() if isinstance(values, Tensor) else list(values)
