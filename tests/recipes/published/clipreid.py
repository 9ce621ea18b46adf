"""CLIP-ReID, from Syliz517/CLIP-ReID eb1898b: configs/, solver/ and loss/make_loss.py."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.recipes.expected import HALF, Expected, Group, steps_after_warmup

# timm's erasing, in the form that ours has for it.
_TRANSFORMS: dict[str, dict[str, Any]] = {
    "random_flip": {"p": 0.5},
    "pad_crop": {"p": 1.0, "padding": 10, "fill": 0},
    "random_erase": {"p": 0.5, "area": [0.02, 0.3333], "aspect": "log", "fill": "noise"},
}

_PROMPTS = {
    "loss.name": "clipreid",
    "loss.clipreid.prompt_epochs": 120,
    "loss.clipreid.prompt_batch_size": 64,
    "loss.clipreid.prompt_lr": 0.00035,
    "loss.clipreid.prompt_weight_decay": 1e-4,
    "loss.clipreid.prompt_warmup_epochs": 5,
    "loss.clipreid.prompt_warmup_lr": 1e-5,
    "loss.clipreid.prompt_min_lr": 1e-6,
    "loss.clipreid.weight_i2t": 1.0,
    "loss.clipreid.label_smooth": True,
    "data.resize": "pillow_bicubic",
}

_VIT = Expected(
    recipe="clipreid_vit_b",
    source="configs/person/vit_clipreid.yml",
    model="clipreid_vit_b",
    image=(256, 128),
    normalisation=HALF,
    optimizer="Adam",
    optimizer_options={"betas": (0.9, 0.999), "amsgrad": False},
    groups=[Group("", 5e-6, 1e-4), Group("bias", 1e-5, 1e-4)],
    frozen=["^text_encoder", "^prompt_learner"],
    curve=steps_after_warmup([30, 50], warmup=10, factor=0.1, ahead=1),
    epochs=60,
    maps=(16, 8),
    features=768 + 512,
    metric_features=None,
    test_features="before_neck",
    model_options={"stride": 16, "sie": "none", "prompt": "person"},
    losses={"softmax": 1.0, "triplet": 1.0},
    loss_options={
        "softmax": {"eps": 0.1, "form": "k", "branch_weights": [0.25, 0.25]},
        "triplet": {"margin": 0.3, "soft": False, "branch_weights": [1.0, 1.0, 1.0]},
    },
    sampler="RandomIdentitySampler",
    batch=64,
    instances=4,
    transforms=_TRANSFORMS,
    metric="euclidean",
    normalized=True,
    amp=True,
    settings=_PROMPTS,
)

ROWS = [
    _VIT,
    replace(
        _VIT,
        recipe="clipreid_rn50",
        source="configs/person/cnn_clipreid.yml",
        model="clipreid_rn50",
        normalisation=((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        groups=[Group("", 0.00035, 5e-4), Group("bias", 0.0007, 5e-4)],
        curve=steps_after_warmup([40, 70], warmup=10, factor=0.01, ahead=1),
        epochs=120,
        features=2048 + 1024,
        model_options={"prompt": "person"},
        loss_options={
            "softmax": {"eps": 0.1, "form": "k", "branch_weights": [1.0, 1.0]},
            "triplet": {"margin": 0.3, "soft": False, "branch_weights": [1.0, 1.0, 1.0]},
        },
        settings=_PROMPTS | {"loss.clipreid.prompt_epochs": 60},
    ),
    replace(
        _VIT,
        recipe="clipreid_veri",
        source="configs/veri/vit_prom.yml",
        image=(256, 256),
        maps=(16, 16),
        model_options={"stride": 16, "sie": "none", "prompt": "vehicle"},
        settings=_PROMPTS | {"loss.clipreid.prompt_epochs": 60},
    ),
]
