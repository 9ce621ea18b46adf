"""SOLIDER, from tinyvision/SOLIDER-REID 8c08e1c."""

from __future__ import annotations

from dataclasses import replace

from tests.recipes.expected import HALF, Expected, Group, timm_cosine

_TINY = Expected(
    recipe="solider_swin_t",
    source="configs/*/swin_tiny.yml, run.sh, solver/*.py, loss/make_loss.py",
    model="solider_swin_t",
    image=(384, 128),
    normalisation=HALF,
    optimizer="SGD",
    optimizer_options={"momentum": 0.9, "nesterov": False},
    # solver/make_optimizer.py asks for "bias" anywhere in a name.
    groups=[Group("", 8e-4, 1e-4), Group("bias", 1.6e-3, 1e-4)],
    curve=timm_cosine(120, warmup=20, warmup_lr=8e-6, lr_min=1.6e-6),
    epochs=120,
    maps=(12, 4),
    features=768,
    head={"neck": "bnneck"},
    metric_features="before_neck",
    test_features="before_neck",
    model_options={"semantic_weight": 0.2, "drop_path_rate": 0.1},
    losses={"softmax": 1.0, "triplet": 1.0},
    loss_options={
        "softmax": {"eps": 0.0},
        "triplet": {"margin": 0.0, "soft": True, "normalize": False},
    },
    sampler="RandomIdentitySampler",
    batch=64,
    instances=4,
    transforms={
        "random_flip": {"p": 0.5},
        "pad_crop": {"p": 1.0, "padding": 10, "fill": 0},
        # timm's RandomErasing with its defaults and mode "pixel".
        "random_erase": {"p": 0.5, "area": [0.02, 0.3333], "aspect": "log", "fill": "noise"},
    },
    metric="euclidean",
    normalized=True,
    amp=True,
    settings={"data.resize": "pillow_bicubic"},
    overrides=["train.amp=off"],  # which no CPU computes in
)

_SMALL = replace(
    _TINY,
    recipe="solider_swin_s",
    source="configs/*/swin_small.yml, run.sh",
    model="solider_swin_s",
    groups=[Group("", 2e-4, 1e-4), Group("bias", 4e-4, 1e-4)],
    curve=timm_cosine(120, warmup=20, warmup_lr=2e-6, lr_min=4e-7),
)

ROWS = [
    _TINY,
    _SMALL,
    replace(
        _SMALL,
        recipe="solider_swin_b",
        source="configs/*/swin_base.yml, run.sh",
        model="solider_swin_b",
        features=1024,
    ),
]
