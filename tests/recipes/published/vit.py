"""Vision transformers: TransReID and those of person pre-training.

From damo-cv/TransReID, damo-cv/TransReID-SSL, CASIA-IVA-Lab/PASS-reID and junkunyuan/HAP, at the
newest commits of their main branches: their configurations, and the code of their optimizers,
schedules and transforms.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.recipes.expected import (
    HALF,
    IMAGENET,
    Expected,
    Group,
    half_cosine_by_iterations,
    timm_cosine,
)

_TRANSFORMS: dict[str, dict[str, Any]] = {
    "random_flip": {"p": 0.5},
    "pad_crop": {"p": 1.0, "padding": 10, "fill": 0},
    # timm's, mode "pixel", its defaults for the area and the proportions.
    "random_erase": {"p": 0.5, "area": [0.02, 0.3333], "aspect": "log", "fill": "noise"},
}


def _sgd(lr: float) -> list[Group]:
    """Return the groups of make_optimizer: whatever has "bias" in its name learns twice as fast."""
    return [Group("", lr, 1e-4), Group("bias", 2 * lr, 1e-4)]


_VIT_B = Expected(
    recipe="transreid_vit_b",
    source="configs/Market/vit_base.yml, solver/, datasets/make_dataloader.py, loss/make_loss.py",
    model="transreid_vit_b",
    image=(256, 128),
    normalisation=HALF,
    optimizer="SGD",
    optimizer_options={"momentum": 0.9, "nesterov": False},
    groups=_sgd(0.008),
    curve=timm_cosine(120, warmup=5, warmup_lr=8e-5, lr_min=1.6e-5, ahead=1),
    epochs=120,
    maps=(16, 8),
    features=768,
    model_options={
        "stride": 16,
        "drop_path": 0.1,
        "neck": "bnneck",
        "sie": "none",
    },
    metric_features="before_neck",
    test_features="before_neck",
    losses={"softmax": 1.0, "triplet": 1.0},
    loss_options={
        "softmax": {"eps": 0.0},
        "triplet": {"soft": True, "margin": 0.0, "normalize": False},
    },
    sampler="RandomIdentitySampler",
    batch=64,
    instances=4,
    transforms=_TRANSFORMS,
    metric="euclidean",
    normalized=True,
    amp=True,
    settings={"data.resize": "pillow_bicubic", "test.batch_size": 256, "train.amp": "fp16"},
)

_BRANCHES = [0.5, 0.125, 0.125, 0.125, 0.125]
_JPM = {"jpm": True, "jpm_shift": 5, "jpm_groups": 2, "jpm_parts": 4, "stride": 12}

_WHOLE = replace(
    _VIT_B,
    recipe="transreid_stride_sie_jpm",
    source="configs/Market/vit_transreid_stride.yml, config/defaults.py, model/make_model.py",
    maps=(21, 10),
    features=3840,
    model_options={**_VIT_B.model_options, **_JPM, "sie": "camera", "sie_coefficient": 3.0},
    loss_options={
        "softmax": {"eps": 0.0, "branch_weights": _BRANCHES},
        "triplet": {"soft": True, "margin": 0.0, "branch_weights": _BRANCHES},
    },
)

_VERI = replace(
    _WHOLE,
    recipe="transreid_veri",
    source="configs/VeRi/vit_transreid_stride.yml",
    image=(256, 256),
    groups=_sgd(0.01),
    curve=timm_cosine(120, warmup=5, warmup_lr=1e-4, lr_min=2e-5, ahead=1),
    maps=(21, 21),
    model_options={**_WHOLE.model_options, "jpm_shift": 8, "sie": "both"},
)

_VEHICLEID = replace(
    _VERI,
    recipe="transreid_vehicleid",
    source="configs/VehicleID/vit_transreid_stride.yml",
    groups=_sgd(0.045),
    curve=timm_cosine(120, warmup=5, warmup_lr=4.5e-4, lr_min=9e-5, ahead=1),
    model_options={**_VIT_B.model_options, **_JPM, "jpm_shift": 8},
    batch=256,
    settings={**_VERI.settings, "test.protocol": "vehicleid"},
)

_DINO = replace(
    _VIT_B,
    recipe="dino_vit_s",
    source="TransReID-SSL: transreid_pytorch/configs/market/vit_small.yml, processor/processor.py",
    model="vit_s_16",
    groups=_sgd(4e-4),
    curve=timm_cosine(120, warmup=20, warmup_lr=4e-6, lr_min=8e-7),
    features=384,
)

_PASS = replace(
    _DINO,
    recipe="pass_vit_s",
    source="PASS-reID: PASS_transreid/configs/market/vit_small.yml, model/make_model.py",
    model="vit_s_16_pass",
    features=768,
)


def _hap_groups() -> list[Group]:
    """Return the groups of param_groups_lrd over 12 blocks, by our names of the layers."""
    decay = 0.4
    lowest = 0.008 * decay**13
    blocks = [Group(rf"^base\.blocks\.{n}\.", 0.008 * decay ** (12 - n), 0.05) for n in range(11)]
    decayed = [
        Group("^classifier", 0.008, 0.05),
        Group(r"^global_branch\.0", 0.008 * decay, 0.05),
        Group(r"^base\.patch_embed", lowest, 0.05),
        *blocks,
    ]
    vectors = r".*(bias|norm\d\.weight)$"
    return [
        *decayed,
        *(Group(group.pattern + vectors, group.lr, 0.0) for group in decayed),
        Group(r"^global_branch\.1", 0.008, 0.0),
        Group(r"^base\.(cls_token|pos_embed)$", lowest, 0.0),
    ]


_HAP = replace(
    _VIT_B,
    recipe="hap_vit_b",
    source="HAP: downstream_tasks/person_reid/{README.md,config_reid.py,main_reid.py,utils/}",
    model="vit_b_16",
    normalisation=IMAGENET,
    optimizer="AdamW",
    optimizer_options={"betas": (0.9, 0.999)},
    groups=_hap_groups(),
    curve=half_cosine_by_iterations(100, 5),
    epochs=100,
    metric_features=None,
    test_features=None,
    model_options={"stride": 16, "drop_path": 0.1, "neck": "none", "sie": "none"},
    losses={"softmax": 0.5, "triplet": 0.5},
    instances=8,
)

ROWS = [_VIT_B, _WHOLE, _VERI, _VEHICLEID, _DINO, _PASS, _HAP]
