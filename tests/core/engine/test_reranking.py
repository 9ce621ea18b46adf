"""Re-ranking in a test: when it happens, on which distances, and what is recorded of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from reidcore import hookimpl
from reidcore.engine import Engine
from reidcore.evaluation import (
    Distances,
    FeatureDistances,
    Labels,
    compute_distance_matrix,
    evaluate,
    re_ranking,
)
from reidcore.utils import read_json

MakeEngine = Callable[..., Engine]


class Noting:
    """Drowns the features in noise, so that re-ranking matters, and notes what is measured."""

    @hookimpl(wrapper=True)
    def reid_transform_features(self, query: Tensor, gallery: Tensor) -> Any:
        sides = yield
        noise = torch.Generator().manual_seed(0)
        self.query, self.gallery = (
            side + torch.randn(side.shape, generator=noise) for side in sides
        )
        return self.query, self.gallery

    @hookimpl
    def reid_compute_distance(self, query: Tensor, gallery: Tensor, metric: str) -> Distances:
        self.measured = query, gallery, metric
        return FeatureDistances(query, gallery, metric)


def labels_of(engine: Engine) -> Labels:
    query, gallery = engine.datamanager.fetch_test_loaders("tiny")
    columns = [
        [getattr(sample, field) for sample in table]
        for field in ("pid", "camid")
        for table in (query, gallery)
    ]
    return Labels(*map(np.array, columns))


def test_features_are_transformed_measured_then_re_ranked(make_engine: MakeEngine) -> None:
    plugin = Noting()
    engine = make_engine(plugin)
    plain = engine.test(dist_metric="cosine")["tiny"].ranking
    reranked = engine.test(dist_metric="cosine", rerank=True)["tiny"].ranking
    query, gallery, metric = plugin.measured
    assert torch.equal(query, torch.cat([plugin.query, plugin.gallery]))
    assert query is gallery
    assert metric == "cosine"
    sides = (plugin.query, plugin.gallery)
    pairs = [sides, (sides[0], sides[0]), (sides[1], sides[1])]
    matrix = re_ranking(*(compute_distance_matrix(*pair, "cosine") for pair in pairs))
    assert reranked.mAP == evaluate(matrix, labels_of(engine)).mAP
    assert reranked.mAP != plain.mAP


def test_a_run_re_ranks_draws_and_says_so(make_engine: MakeEngine, tmp_path: Path) -> None:
    engine = make_engine()
    record = engine.run(
        save_dir=str(tmp_path), test_only=True, rerank=True, visrank=True, visrank_topk=3
    )
    assert record["targets"]["tiny"]["rerank"] is True
    assert read_json(tmp_path / "test_results.json")["targets"]["tiny"] == record["targets"]["tiny"]
    assert (tmp_path / "visrank_tiny" / "overview.jpg").is_file()
