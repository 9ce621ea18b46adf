"""Testing a model on one target: features, distances, ranks."""

from __future__ import annotations

import inspect
import logging
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DistributedSampler

from reidcore._validation import has_methods
from reidcore._wording import one_of
from reidcore.config.options.plan import RunPlan
from reidcore.data.left_out import leave_out, noting_left_out
from reidcore.data.loader.batch_sampler import rank_and_world, stretch_of
from reidcore.data.loader.loader import BatchLoader
from reidcore.data.table import SampleTable
from reidcore.engine.agreement import gather_to_main, on_main_process
from reidcore.engine.conditions import check_plain, conditions_of
from reidcore.engine.datamanager import Loader, left_without_images, note_skipped, skipped_by
from reidcore.engine.hook_results import checked_distances, checked_pair
from reidcore.engine.shared_ranking import GalleryShare, on_device, shared
from reidcore.errors import DataError, UserError, counted
from reidcore.evaluation import FeatureDistances, Labels, RankingResult, RerankedDistances, evaluate
from reidcore.evaluation.matches import without_own_files
from reidcore.evaluation.protocols import check_needs, pooled, with_ap
from reidcore.models.reid_model import check_finite
from reidcore.plugins import Plugins
from reidcore.registry import choose, find

if TYPE_CHECKING:
    from reidcore.engine.engine import Engine
    from reidcore.evaluation import Distances, EvaluationProtocol, Relations

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class TestSet:
    """One side of a target: its images and their features.

    Attributes:
        table: the N images with their labels; unreadable ones that were skipped are not in it.
        features: ``(N, D)``, float32, on the CPU, as the model gave them, or as the protocol pooled
            them, whose groups the table has one image of then.
    """

    __test__ = False  # no test case, whatever its name

    table: SampleTable
    features: Tensor


@dataclass
class Share:
    """What one process extracted of a split; its images follow those of the ranks before it.

    Attributes:
        features: of each batch, ``(B, D)``, float32, on the CPU.
        paths: of the images.
        pids: of each batch, (B,).
        camids: of each batch, (B,).
        skipped: path -> reason of each image that could not be read.
        seconds: how long it took.
    """

    features: list[Tensor] = field(default_factory=list)
    paths: list[Any] = field(default_factory=list)
    pids: list[npt.NDArray[np.int64]] = field(default_factory=list)
    camids: list[npt.NDArray[np.int64]] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


SPLITS = ("query", "gallery")
Shares = dict[str, list[Share]]


@dataclass(frozen=True, eq=False)
class TargetResult:
    """What a test on one target found.

    Attributes:
        ranking: the figures, those of each query included.
        timings: seconds by phase, and images per second.
        num_skipped: unreadable images left out.
        query: the Q queries with their labels and paths, in the order of ``ranking``'s arrays.
        gallery: the G gallery images.
        files: what plugins wrote about the target, such as ``pictures``; ``results.json`` has it.
        num_own_files: gallery images left out of the ranking of a query that is the same file,
            beside those that the protocol ignores in any case.
        conditions: what the figures are, in plain values, for ``results.json`` and the line below
            the table; a plugin that changed something adds what it did.
    """

    ranking: RankingResult
    timings: dict[str, float]
    num_skipped: int
    query: SampleTable
    gallery: SampleTable
    files: dict[str, Path] = field(default_factory=dict)
    num_own_files: int = 0
    conditions: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class TargetTest:
    """A test on one target, as ``reid_target_tested`` sees it.

    Attributes:
        name: the target.
        query: the Q queries.
        gallery: the G gallery images.
        distances: (Q, G), as they were ranked; ``blocks()`` may be read again.
        protocol: the evaluation protocol.
        result: the figures; a plugin that writes files names them in ``result.files``, and in
            ``result.conditions`` what it did to features or distances.
    """

    name: str
    query: TestSet
    gallery: TestSet
    distances: Distances
    protocol: EvaluationProtocol
    result: TargetResult

    @cached_property
    def matches(self) -> Relations | None:
        """Which gallery images match a query and which are ignored; see `relations_of`."""
        return relations_of(
            self.protocol, Labels.from_samples(self.query.table, self.gallery.table)
        )


def evaluate_target(engine: Engine, name: str) -> TargetResult:
    """Test the engine's model on one target, as the engine's plan says.

    Of several processes each extracts a share of the features. Rank 0 gathers and ranks them, for
    which each counts in a part of the gallery, and all return its result.

    Raises:
        UserError: if the target has no query, no gallery or no valid query, or the features of an
            image are not finite.
    """
    started = time.perf_counter()
    shares = {split: gather_to_main(extract(engine, name, split)) for split in SPLITS}
    assistant = GalleryShare(engine.device)
    return on_main_process(lambda: _rank(engine, name, shares, started), assistant)


def _rank(engine: Engine, name: str, shares: Shares, started: float) -> TargetResult:
    """Rank the gathered features of a target, and tell the plugins."""
    plan = engine.plan
    # The shares are let go when they are joined, since there may be no room for both.
    query, skipped_queries = _joined(engine, name, "query", shares.pop("query"))
    gallery, skipped_gallery = _joined(engine, name, "gallery", shares.pop("gallery"))
    extracted = time.perf_counter()
    protocol = make_protocol(engine.plugins, plan)
    with naming_target(name):
        query, gallery, labels = _in_groups(protocol, query, gallery)
        distances = measure(engine, query.features, gallery.features, labels)
        ranking = evaluate(
            shared(distances),
            labels,
            protocol=protocol,
            max_rank=plan.reported_max_rank,
            ties=plan.ties,
            ranks=plan.ranks,
        )
    if not isinstance(ranking, RankingResult):
        entry = find("protocols", plan.protocol, engine.plugins)
        raise entry.defect(ranking, "a RankingResult", "evaluate")
    _check_figures(ranking, plan, engine.plugins)
    timings = {
        "extraction_seconds": extracted - started,
        "images_per_second": (len(query.table) + len(gallery.table)) / (extracted - started),
        "ranking_seconds": time.perf_counter() - extracted,
    }
    result = TargetResult(
        ranking,
        timings,
        skipped_queries + skipped_gallery,
        query.table,
        gallery.table,
        num_own_files=len(ranking.own_files),
        conditions=conditions_of(engine, ranking, query.table, gallery.table),
    )
    if engine.is_final_test:
        with noting_left_out(name):
            paths = query.table.paths
            leave_out(paths.take(~ranking.valid), "queries", "without a match", total=len(paths))
            leave_out(
                paths.take(ranking.own_files),
                f"gallery {engine.data_facts.unit}",
                "each the same file as the query it is ranked for",
            )
    _call_target_tested(engine, TargetTest(name, query, gallery, distances, protocol, result))
    return result


def make_protocol(plugins: Plugins, plan: RunPlan) -> EvaluationProtocol:
    """Make the protocol that a plan names, with its options and the plan's kind of AP."""
    chosen = choose("protocols", plan.protocol, plan.protocol_options, plugins)
    protocol: EvaluationProtocol = chosen.make()
    if not has_methods(protocol, "evaluate"):
        raise chosen.entry.defect(protocol, "an object with a method evaluate")
    return with_ap(protocol, plan.ap)


def _in_groups(
    protocol: EvaluationProtocol, query: TestSet, gallery: TestSet
) -> tuple[TestSet, TestSet, Labels]:
    """Return both sides with their labels, in the groups that the protocol makes of their images.

    Raises:
        UserError: if the tables lack a column that the protocol needs.
    """
    labels = Labels.from_samples(query.table, gallery.table)
    check_needs(protocol, labels)
    groups = pooled(protocol, query.features, gallery.features, labels)
    if groups is None:
        return query, gallery, labels
    query_rows, gallery_rows = groups.query_rows, groups.gallery_rows
    return (
        TestSet(query.table.take(query_rows), groups.query),
        TestSet(gallery.table.take(gallery_rows), groups.gallery),
        labels.take(query_rows, gallery_rows),
    )


def _check_figures(ranking: RankingResult, plan: RunPlan, plugins: Plugins) -> None:
    """Refuse figures of a protocol's own that no table can show."""
    taken = ranking.summary([*plan.ranks, 1])
    for name, value in ranking.figures.items():
        entry = find("protocols", plan.protocol, plugins)
        if not isinstance(name, str) or name in taken:
            raise entry.defect(name, f"names beside {', '.join(taken)}", f"figures, {name!r}")
        if not isinstance(value, Real) or isinstance(value, bool) or math.isinf(value):
            raise entry.defect(value, f"a number for {name!r}, or NaN for none", "figures")


def relations_of(protocol: EvaluationProtocol, labels: Labels) -> Relations | None:
    """Return what a protocol matches and ignores; None if it evaluates in a way of its own."""
    if not hasattr(protocol, "relations"):
        return None
    return without_own_files(protocol.relations(labels), labels)


def extract(engine: Engine, name: str, split: str) -> Share:
    """Compute the features of this process's share of one split of a target."""
    share = Share()
    started = time.perf_counter()
    loader = engine.test_loader[name][split]
    compute = _with_labels(engine.extract_features)
    engine.accelerator.receive(loader)
    with torch.inference_mode(), _own_stretch(loader, f"the {split} of {name}") as stretch:
        batches = engine.progress(stretch, f"{name}: {split}")
        for batch in engine.interruption.stoppable(batches):
            if engine.interruption.is_asked:
                break
            images, batch_pids, batch_camids = engine.parse_data_for_eval(batch)
            with engine.accelerator.autocast():
                computed = compute(engine.accelerator.move(images), _labels_in(batch))
            check_finite(computed, batch["impath"], engine.plugins)
            share.features.append(computed.float().cpu())
            share.paths.extend(batch["impath"])
            share.pids.append(_int_array(batch_pids))
            share.camids.append(_int_array(batch_camids))
    engine.interruption.check()
    # Asked of the loader, which never yields a batch without a readable image.
    share.skipped = dict(skipped_by(loader))
    share.seconds = time.perf_counter() - started
    return share


@contextmanager
def _own_stretch(loader: Loader, what: str) -> Iterator[Iterable[Mapping[str, Any]]]:
    """Yield this process's share of a loader's batches: whole ones, in order.

    The features of an image are then those that one process would compute, to the last bit.

    Raises:
        UserError: if the loader gives other images in each process already.
    """
    rank, world = rank_and_world()
    if world == 1:
        yield loader
    elif isinstance(getattr(loader, "sampler", None), DistributedSampler):
        raise UserError(
            f"{what} has a DistributedSampler, which repeats images to fill its batches",
            "Give a loader of all images in each process: the engine shares them out.",
        )
    elif isinstance(loader, BatchLoader):
        with loader.shared_out(rank, world):
            yield loader
    else:  # one's own: all of it is read, and the others' batches are let go
        stretch = stretch_of(len(loader), rank, world)
        yield islice(loader, stretch.start, stretch.stop)


def _joined(engine: Engine, name: str, split: str, shares: Sequence[Share]) -> tuple[TestSet, int]:
    """Return the images of one split that could be read, and how many could not.

    Raises:
        DataError: if there is none.
    """
    features = [each for share in shares for each in share.features]
    paths = [path for share in shares for path in share.paths]
    skipped = {path: why for share in shares for path, why in share.skipped.items()}
    note_skipped(engine.test_loader[name][split], skipped)  # for the record, which rank 0 writes
    if not features and skipped:
        raise left_without_images(f"the {split} of {name} is empty", skipped)
    if not features:
        raise DataError(
            f"the {split} of {name} is empty", "Test on a target that has query and gallery images."
        )
    seconds = max(share.seconds for share in shares)
    read = counted(len(paths), one_of(engine.data_facts.unit), engine.data_facts.unit)
    _log.info("%s: %s: %s in %.1f s", name, split, read, seconds, extra={"is_progress": True})
    table = _readable(engine.data_facts.test_dataset.get(name, {}).get(split), paths, skipped)
    pids = np.concatenate([each for share in shares for each in share.pids])
    camids = np.concatenate([each for share in shares for each in share.camids])
    return TestSet(replace(table, pids=pids, camids=camids), torch.cat(features)), len(skipped)


def _with_labels(extract_features: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Return what computes features of images and labels; Torchreid's takes images alone."""
    if "labels" in inspect.signature(extract_features).parameters:
        return extract_features
    return lambda images, labels: extract_features(images)


def _labels_in(batch: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in batch.items() if name not in ("img", "skipped")}


def measure(engine: Engine, query: Tensor, gallery: Tensor, labels: Labels) -> Distances:
    """Transform features ``(Q, D)`` and ``(G, D)`` and give their distances.

    Re-ranking comes last. It needs the distances of all images to all, so the hook is then called
    once with both sides together, in the place of query and of gallery.
    """
    plan, plugins = engine.plan, engine.plugins
    if plan.normalize_feature:
        query, gallery = F.normalize(query, dim=1), F.normalize(gallery, dim=1)
    answer = plugins.hook.reid_transform_features(
        query=query, gallery=gallery, labels=labels, engine=engine
    )
    num_queries = len(query)
    query, gallery = checked_pair(answer, plugins, (num_queries, len(gallery)))
    if plan.rerank:
        query = gallery = torch.cat([query, gallery])
    answer = plugins.hook.reid_compute_distance(
        query=query, gallery=gallery, metric=plan.dist_metric
    )
    distances = checked_distances(answer, plugins, (len(query), len(gallery)))
    if isinstance(distances, FeatureDistances):
        distances.check_sides()
    distances = on_device(distances, engine.device)
    return RerankedDistances(distances, num_queries) if plan.rerank else distances


def _call_target_tested(engine: Engine, tested: TargetTest) -> None:
    engine.plugins.hook.reid_target_tested(engine=engine, tested=tested)
    check_plain(tested.name, tested.result.conditions)
    for kind, path in tested.result.files.items():
        _log.info("%s: %s in %s", tested.name, kind, path)


def _readable(known: Any, paths: list[Any], skipped: Mapping[str, str]) -> SampleTable:
    """Return the table of the images that were read, with whatever columns the dataset has.

    Args:
        known: the split's samples, as the data manager lists them; None if it does not.
        paths: those of the images that were read, in order.
        skipped: path -> reason of the others.
    """
    if known is not None:
        table = SampleTable.of(known)
        if skipped:
            table = table.take(np.array([path not in skipped for path in table.paths], dtype=bool))
        if len(table) == len(paths):
            return table
    return SampleTable.of([(path, 0, 0) for path in paths])


@contextmanager
def naming_target(name: str) -> Iterator[None]:
    """Name the target in an error of what is done meanwhile."""
    try:
        yield
    except UserError as error:
        raise type(error)(f"target {name!r}: {error.what}", error.hint) from error


def _int_array(values: Any) -> npt.NDArray[np.int64]:
    array = values.cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)
    return array.astype(np.int64, copy=False)
