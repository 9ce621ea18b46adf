"""Query expansion, augmentation and re-ranking: worked by hand, and written out in loops."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from reid_plugins_standard.test_time import Setting
from reid_plugins_standard.test_time import neighbours as module
from reid_plugins_standard.test_time.neighbours import (
    AlphaQueryExpansion,
    AverageQueryExpansion,
    DatabaseAugmentation,
    KReciprocal,
)
from torch import Tensor

from reidcore.errors import DataError
from reidcore.evaluation import FeatureDistances, RerankedDistances

QUERY = torch.tensor([[1.0, 0.0]])
GALLERY = torch.tensor([[0.0, 1.0], [-1.0, 0.0], [0.8, 0.6]])  # cosines 0, -1 and 0.8


def expanded(features: Tensor, gallery: Tensor, k: int, alpha: float, is_own: bool) -> Tensor:
    """Write the sum out, one feature at a time, in float64."""
    features, gallery = features.double(), gallery.double()
    cosines = torch.nn.functional.cosine_similarity(features[:, None], gallery[None], dim=2)
    rows = []
    for place, (feature, own) in enumerate(zip(features, cosines.tolist(), strict=True)):
        others = [other for other in range(len(gallery)) if not (is_own and other == place)]
        near = sorted(others, key=lambda other: -own[other])[:k]
        rows.append(feature + sum(max(own[other], 0) ** alpha * gallery[other] for other in near))
    return torch.stack(rows).float()


def test_queries_are_averaged_with_their_nearest_images(setting: Setting) -> None:
    query, gallery = AverageQueryExpansion(k=1).transform(QUERY, GALLERY, setting)
    torch.testing.assert_close(query, torch.tensor([[0.9, 0.3]]))
    assert gallery is GALLERY
    query, _ = AverageQueryExpansion(k=2).transform(QUERY, GALLERY, setting)
    torch.testing.assert_close(query, torch.tensor([[0.6, 1.6 / 3]]))


def test_weights_are_powers_of_cosines_and_never_negative(setting: Setting) -> None:
    query, gallery = AlphaQueryExpansion(k=3, alpha=2).transform(QUERY, GALLERY, setting)
    torch.testing.assert_close(query, torch.tensor([[1 + 0.64 * 0.8, 0.64 * 0.6]]))
    assert gallery is GALLERY


@pytest.mark.parametrize(
    ("step", "told"),
    [
        (AverageQueryExpansion(4), "aqe.k is 4, and there are 3 gallery images: all are taken"),
        (AlphaQueryExpansion(4), "alpha_qe.k is 4, and there are 3 gallery images: all are taken"),
        (DatabaseAugmentation(3), "dba.k is 3, and there are 2 other gallery images: all are tak"),
    ],
    ids=lambda each: "" if isinstance(each, str) else type(each).__name__,
)
def test_more_neighbours_than_there_are_is_told(
    step: Any, told: str, setting: Setting, caplog: pytest.LogCaptureFixture
) -> None:
    fewer = type(step)(step.k - 1)
    for both in zip(
        step.transform(QUERY, GALLERY, setting),
        fewer.transform(QUERY, GALLERY, setting),
        strict=True,
    ):
        torch.testing.assert_close(*both)
    assert [record.getMessage()[: len(told)] for record in caplog.records] == [told]


def test_so_it_is_of_re_ranking(caplog: pytest.LogCaptureFixture) -> None:
    measure = partial(FeatureDistances, metric="euclidean")
    KReciprocal(k1=9, k2=4).measure(measure, QUERY, GALLERY)
    assert [record.getMessage() for record in caplog.records] == [
        "rerank.k1 is 9, and there are 4 images: all are taken"
    ]


def test_the_gallery_is_joined_by_its_own_nearest_images(setting: Setting) -> None:
    gallery = torch.tensor([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])
    query, augmented = DatabaseAugmentation(k=1).transform(QUERY, gallery, setting)
    torch.testing.assert_close(augmented, torch.tensor([[1.8, 0.6], [1.8, 0.6], [0.8, 1.6]]))
    assert query is QUERY
    _, weighed = DatabaseAugmentation(k=1, alpha=1).transform(QUERY, gallery, setting)
    torch.testing.assert_close(weighed[2], torch.tensor([0.6 * 0.8, 1 + 0.6 * 0.6]))


def test_an_image_is_never_its_own_neighbour_among_its_copies(setting: Setting) -> None:
    copies = torch.tensor([[2.0, 0.0]]).repeat(6, 1)
    _, augmented = DatabaseAugmentation(k=2).transform(QUERY, copies, setting)
    torch.testing.assert_close(augmented, 3 * copies)
    _, alone = DatabaseAugmentation().transform(QUERY, copies[:1], setting)
    assert alone.tolist() == [[2, 0]]


@pytest.mark.parametrize("seed", range(6))
def test_the_definition_written_out(seed: int, setting: Setting, monkeypatch) -> None:
    draw = np.random.default_rng(seed)
    query, gallery = (
        torch.from_numpy(draw.standard_normal((count, 3)).astype(np.float32))
        for count in (9, int(draw.integers(3, 40)))
    )
    k, alpha = int(draw.integers(1, 8)), float(draw.choice([0.0, 1.0, 3.0]))
    monkeypatch.setattr(module, "_GATHERED", 3 * k * 4)  # four rows at a time
    found, _ = AlphaQueryExpansion(k, alpha).transform(query, gallery, setting)
    torch.testing.assert_close(found, expanded(query, gallery, k, alpha, is_own=False))
    _, found = DatabaseAugmentation(k, alpha).transform(query, gallery, setting)
    torch.testing.assert_close(found, expanded(gallery, gallery, k, alpha, is_own=True))
    average, _ = AverageQueryExpansion(k).transform(query, gallery, setting)
    plain = expanded(query, gallery, k, 0.0, is_own=False) / (min(k, len(gallery)) + 1)
    torch.testing.assert_close(average, plain)


def test_re_ranking_is_the_core_s(sides: tuple[Tensor, Tensor]) -> None:
    def rows(distances) -> np.ndarray:
        return np.concatenate([block for _, block in distances.blocks()])

    found = KReciprocal(4, 2, 0.4).measure(FeatureDistances, *sides)
    expected = RerankedDistances.of_features(*sides, "euclidean", 4, 2, 0.4)
    np.testing.assert_array_equal(rows(found), rows(expected))


def test_re_ranking_refuses_what_has_no_direction(sides: tuple[Tensor, Tensor]) -> None:
    query, gallery = sides
    cosine = partial(FeatureDistances, metric="cosine")
    with pytest.raises(DataError, match="features are all zeros"):
        KReciprocal().measure(cosine, query, gallery * 0)
