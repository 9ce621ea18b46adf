from __future__ import annotations

import numpy as np
import pytest
from reid_plugins_report import projections
from reid_plugins_report.projections import METHODS, choose_projection

from reidcore.errors import UserError


def test_tsne_keeps_identities_together_and_is_the_same_each_time() -> None:
    lots = np.random.default_rng(0)
    centres = lots.normal(scale=20, size=(3, 8))
    features = np.repeat(centres, 12, axis=0) + lots.normal(size=(36, 8))
    places = METHODS["tsne"].compute(features)
    assert places.shape == (36, 2)
    groups = places.reshape(3, 12, 2)
    spread = np.linalg.norm(groups - groups.mean(axis=1, keepdims=True), axis=2).max()
    middles = groups.mean(axis=1)
    apart = min(np.linalg.norm(middles[a] - middles[b]) for a, b in ((0, 1), (0, 2), (1, 2)))
    assert spread < apart
    np.testing.assert_array_equal(places, METHODS["tsne"].compute(features))


def test_pca_takes_the_first_two_components_that_there_are() -> None:
    features = np.arange(6.0).reshape(3, 2)
    np.testing.assert_array_equal(METHODS["pca"].compute(features), features)
    assert METHODS["pca"].compute(features[:, :1]).tolist() == [[0, 0], [2, 0], [4, 0]]


def test_without_scikit_learn_the_map_is_pca(monkeypatch) -> None:
    monkeypatch.setattr(projections, "find_spec", lambda name: None)
    assert choose_projection("auto") is METHODS["pca"]
    with pytest.raises(UserError, match=r"needs umap.*pip install \"umap-learn\""):
        choose_projection("umap")


@pytest.mark.parametrize("method", ["tsne", "pca"])
def test_features_that_are_all_the_same_are_one_point(method) -> None:
    assert METHODS[method].places(np.full((9, 4), 2.5)).tolist() == [[0, 0]] * 9


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_tsne_of_one_dimension_and_of_any_scale(scale) -> None:
    features = np.arange(9.0)[:, None] * scale
    places = METHODS["tsne"].places(features)
    assert np.isfinite(places).all()
    assert len(np.unique(places[:, 0])) == 9
