"""How a model is tested, when, and what is drawn."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from reidcore.config.options.base import MOST, NotNegative, Options, Positive, Positives

VALIDATION = "validation"
"""What the identities held out of training are called where targets are named."""


class ScoringOptions(Options):
    """When targets are tested and how their results are found and shown.

    Attributes:
        dist_metric: ``euclidean`` or ``cosine``, or a metric that a plugin understands.
        normalize_feature: scale features to unit length first.
        ranks: the CMC ranks to report.
        eval_freq: test after every so many epochs; -1 tests at the end alone.
        start_eval: no test before this many epochs are done.
        rerank: re-rank by k-reciprocal neighbours, on distances of ``dist_metric``.
        visrank: draw ranked results after the last test.
        visrank_topk: gallery images in each of them.
        visrank_queries: how many queries are drawn.
        visrank_order: which of them, by average precision, at random, or in the files' order.
        ap: the kind of average precision, ``plain`` or ``trapezoid``; None is the protocol's own.
        ties: whether equal distances count against a query.
        max_rank: length of the CMC curve, which reaches the largest of ``ranks`` in any case.
        select_on: what the best checkpoint is chosen by: the first of the ``targets``; identities
            of the training set held out for ``validation``, and the targets are then tested once,
            at the end, with the model that was chosen; or ``none``, and no checkpoint is the best.
        select_metric: the figure that it is chosen by, as results name it: ``mAP``, ``mINP``,
            ``rank1``, or one of the protocol's own; the larger the better.
    """

    __test__ = False  # not a test case, whatever its module suggests to pytest

    section: ClassVar[str] = "test"

    dist_metric: str = "euclidean"
    normalize_feature: bool = False
    ranks: Positives = [1, 5, 10, 20]
    eval_freq: Annotated[int, Field(ge=-1, le=MOST)] = -1
    start_eval: NotNegative = 0
    rerank: bool = False
    visrank: bool = False
    visrank_topk: Positive = 10
    visrank_queries: Positive = 20
    visrank_order: Literal["worst", "best", "random", "first"] = "random"
    ap: Literal["plain", "trapezoid"] | None = None
    ties: Literal["pessimistic", "optimistic"] = "pessimistic"
    max_rank: Positive = 50
    select_on: Literal["targets", "validation", "none"] = "targets"
    select_metric: Annotated[str, Field(min_length=1)] = "rank1"


class TestOptions(ScoringOptions):
    """Evaluation: when, by which protocol, and what to draw.

    Attributes:
        batch_size: images in a test batch.
        evaluate: only test.
        protocol: the evaluation protocol; None is ``market1501``.
        validation_share: share of each source's identities that ``select_on=validation`` holds out.
    """

    batch_size: Positive = 100
    evaluate: bool = False
    protocol: str | None = None
    validation_share: Annotated[float, Field(gt=0, lt=1)] = 0.1
