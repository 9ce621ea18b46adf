from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from reid_plugins_standard.transforms.erase import RandomErase


def test_the_boxes_are_torchreids(torchreid_transforms: Mapping[str, np.ndarray]) -> None:
    masks = torchreid_transforms["erasing_mask_random_seed_0_3_64x32"]
    erase = RandomErase(64, 32, p=1)
    for seed, mask in enumerate(masks):
        random.seed(seed)
        erased = erase(torch.ones(3, 64, 32))
        np.testing.assert_array_equal((erased == 0).all(0).numpy(), mask)


@pytest.mark.parametrize(
    ("fill", "colour"), [("mean", [0, 0, 0]), ("torchreid", [0.485, 0.456, 0.406])]
)
def test_what_is_written(fill: str, colour: list[float]) -> None:
    image = torch.full((3, 64, 32), 9.0)
    random.seed(1)
    erased = RandomErase(64, 32, p=1, fill=fill)(image)
    changed = erased[:, (erased != 9).any(0)]
    assert changed.shape[1] > 0
    expected = torch.tensor(colour, dtype=torch.float32)[:, None].expand_as(changed)
    torch.testing.assert_close(changed, expected)
    assert (image == 9).all()


def test_rates_areas_and_aspects_are_torchreids(statistics: dict[str, Any]) -> None:
    recorded = statistics["random_erase"]
    random.seed(0)
    erase = RandomErase(128, 64)
    image = torch.ones(3, 128, 64)
    boxes = []
    for _ in range(2000):
        hole = erase(image)[0] == 0
        if hole.any():
            boxes.append((int(hole.any(1).sum()), int(hole.any(0).sum())))
    heights, widths = np.array(boxes).T
    areas, aspects = heights * widths / (128 * 64), heights / widths
    assert abs(len(boxes) / 2000 - recorded["p_default_measured"]) < 0.05
    assert abs(areas.mean() - recorded["area_mean"]) < 0.015
    assert abs((aspects > 1).mean() - recorded["frac_aspect_gt_1"]) < 0.05
    middle = [0.05, 0.25, 0.5, 0.75, 0.95]
    quantiles = recorded["area_quantiles_0_5_25_50_75_95_100"][1:-1]
    np.testing.assert_allclose(np.quantile(areas, middle), quantiles, atol=0.025)
    quantiles = recorded["aspect_hw_quantiles"][1:-1]
    np.testing.assert_allclose(np.quantile(aspects, middle), quantiles, atol=0.2)
