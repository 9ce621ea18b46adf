"""LightMBN, from jixunbo/LightMBN 1f4ec0d: README.md, lmbn_config.yaml, optim/, loss/, data_v2/."""

from __future__ import annotations

import math

from tests.recipes.expected import Expected, Group, Moment


def _curve(base: float, now: Moment) -> float:
    """``WarmupCosineAnnealingLR``: ten epochs up, 120 down to a thousandth."""
    low = base / 1000
    if now.epoch <= 9:
        return base * (now.epoch + 1) / 10
    share = (now.epoch - 10) / (130 - 10 - 1)
    return low + (base - low) * (1 + math.cos(math.pi * share)) / 2


ROWS = [
    Expected(
        recipe="lmbn_n",
        source="README.md (the command), lmbn_config.yaml",
        model="lmbn_n",
        image=(384, 128),
        optimizer="Adam",
        optimizer_options={"amsgrad": False, "betas": (0.9, 0.999)},
        groups=[Group("", 6e-4, 5e-4)],
        curve=_curve,
        epochs=130,
        maps=(24, 8),
        features=7 * 512,
        metric_features=None,
        test_features=None,
        losses={"softmax": 0.5, "multi_similarity": 0.5},
        loss_options={
            "softmax": {"eps": 0.1, "form": "k", "branch_weights": [1] * 7},
            "multi_similarity": {
                "alpha": 2,
                "beta": 40,
                "base": 0.5,
                "epsilon": 0.7,
                "branch_weights": [1] * 3,
            },
        },
        sampler="RandomIdentitySampler",
        batch=48,
        instances=8,
        transforms={
            "random_flip": {"p": 0.5},
            "random_crop": {"p": 0.5, "enlarge": 1.05},
            "random_erase": {
                "p": 0.5,
                "area": [0.02, 0.4],
                "aspect": "uniform",
                "fill": [0.4914, 0.4822, 0.4465],
            },
        },
        metric="cosine",
        normalized=False,
        amp=False,
        settings={"settings.standard.test_time": ["flip"], "data.resize": "torch"},
    )
]
