"""BoT, AGW, and FastReID's baselines.

From michuanhaohao/reid-strong-baseline 3da7e6f, mangye16/ReID-Survey 38f5912 and JDAI-CV/fast-reid
c9bc3ce: their configuration files, and the code where those say nothing.
"""

from __future__ import annotations

from dataclasses import replace

from tests.recipes.expected import Expected, Group, cosine, fastreid, steps_after_warmup

_ERASED = {"p": 0.5, "area": (0.02, 0.4), "ratio": (0.3, 1 / 0.3), "fill": "torchreid"}
_FASTREID_ERASED = {
    "p": 0.5,
    "area": (0.02, 0.33),
    "ratio": (0.3, 3.3),
    "aspect": "log",
    "fill": "mean",
}
_PADDED = {"p": 1.0, "padding": 10, "fill": 0}
_LEARNT_POWER = Group(r"pool.*\.p$", 0.00035, 0.0005)  # of the generalized mean
_POLICY = {"p": 0.1, "policy": "original", "before_resize": True}

_BOT = Expected(
    recipe="bot_r50",
    source="configs/softmax_triplet.yml, modeling/, data/transforms/, solver/",
    model="resnet50",
    image=(256, 128),
    optimizer="Adam",
    optimizer_options={"amsgrad": False, "betas": (0.9, 0.999)},
    groups=[Group("", 0.00035, 0.0005)],
    curve=steps_after_warmup([40, 70], warmup=10, factor=0.01),
    epochs=120,
    maps=(16, 8),
    features=2048,
    head={"pool": "avg", "neck": "bnneck", "last_stride": 1},
    metric_features="before_neck",
    test_features="after_neck",
    model_options={"stem": "bot"},
    losses={"softmax": 1.0, "triplet": 1.0},
    loss_options={
        "softmax": {"eps": 0.1, "form": "k"},
        "triplet": {"margin": 0.3, "soft": False, "normalize": False},
    },
    sampler="RandomIdentitySampler",
    batch=64,
    instances=4,
    transforms={
        "random_flip": {"p": 0.5},
        "pad_crop": _PADDED,
        "random_erase": _ERASED,
    },
    metric="euclidean",
    normalized=True,
    amp=False,
    settings={"data.resize": "torch"},
)

_AGW = replace(
    _BOT,
    recipe="agw_r50",
    source="configs/AGW_baseline.yml, modeling/, data/transforms.py",
    groups=[*_BOT.groups, _LEARNT_POWER],
    head={**_BOT.head, "pool": "gem", "gem_p": 3.0},
    model_options={"stem": "bot", "non_local": [0, 2, 3, 0], "non_local_channels": 1},
    losses={"softmax": 1.0, "weighted_triplet": 1.0, "center": 0.0005},
    loss_options={
        "softmax": {"eps": 0.1, "form": "k"},
        "weighted_triplet": {"normalize": False},
        "center": {"lr": 0.5},
    },
)

_SBS = Expected(
    recipe="sbs_r50",
    source="configs/Base-SBS.yml, configs/Base-bagtricks.yml, solver/build.py, engine/hooks.py",
    model="resnet50",
    image=(384, 128),
    optimizer="Adam",
    optimizer_options={"amsgrad": False, "betas": (0.9, 0.999)},
    groups=[Group("", 0.00035, 0.0005), _LEARNT_POWER],
    curve=fastreid(cosine(30, 7e-7), warmup=2000, factor=0.1, delay=30),
    epochs=60,
    maps=(24, 8),
    features=2048,
    head={
        "pool": "gem",
        "gem_p": 3.0,
        "neck": "bnneck",
        "last_stride": 1,
        "classifier": "circle",
        "scale": 64.0,
        "margin": 0.35,
    },
    metric_features="after_neck",
    test_features="after_neck",
    model_options={"stem": "fastreid", "non_local": [0, 2, 3, 0], "non_local_channels": 1},
    losses={"softmax": 1.0, "triplet": 1.0},
    loss_options={
        "softmax": {"eps": 0.1, "form": "k_minus_1"},
        "triplet": {"margin": 0.0, "soft": True, "normalize": False},
    },
    sampler="RandomIdentitySampler",
    batch=64,
    instances=16,
    transforms={
        "auto_augment": _POLICY,
        "random_flip": {"p": 0.5},
        "pad_crop": _PADDED,
        "random_erase": _FASTREID_ERASED,
    },
    metric="cosine",
    normalized=False,
    amp=True,
    settings={
        "data.resize": "pillow_bicubic",
        "settings.training.freeze.layers": [
            *("conv1", "bn1", "layer1", "layer2", "layer3", "layer4"),
        ],
        "settings.training.freeze.steps": 1000,
    },
)

_SBS_IBN = replace(
    _SBS,
    recipe="sbs_r50_ibn",
    source="configs/Market1501/sbs_R50-ibn.yml and those that it is based on",
    model="resnet50_ibn_a",
)

_MGN = replace(
    _SBS,
    recipe="mgn_r50_ibn",
    source="configs/Market1501/mgn_R50-ibn.yml, configs/Base-MGN.yml, modeling/meta_arch/mgn.py",
    model="mgn",
    head={},
    metric_features=None,
    test_features=None,
    model_options={
        "backbone": "resnet50_ibn_a",
        "stem": "fastreid",
        "embedding": 256,
        "pool": {"gem": {"p": 3.0}},
        "classifier": {"circle": {"scale": 64.0, "margin": 0.35}},
    },
    # 1/8 of the cross entropies and 1/5 of the triplet losses: means over branches.
    loss_options={
        name: {**_SBS.loss_options[name], "branch_weights": None} for name in _SBS.losses
    },
    settings={
        "data.resize": "pillow_bicubic",
        "settings.training.freeze.layers": ["backbone", "branches"],
        "settings.training.freeze.steps": 1000,
    },
)

_SBS_VERI = replace(
    _SBS_IBN,
    recipe="sbs_veri",
    source="configs/VeRi/sbs_R50-ibn.yml and those that it is based on",
    image=(256, 256),
    maps=(16, 16),
    optimizer="SGD",
    optimizer_options={"momentum": 0.9, "nesterov": False},
    groups=[Group("", 0.01, 0.0005), _LEARNT_POWER._replace(lr=0.01)],
    curve=fastreid(cosine(30, 7.7e-5), warmup=3000, factor=0.1, delay=30, steps=589),
    sampler="CameraIdentitySampler",
    settings={**_SBS.settings, "settings.training.freeze.steps": 3000},
)

_BOT_VERIWILD = replace(
    _SBS_IBN,
    recipe="bot_veriwild",
    source="configs/VERIWild/bagtricks_R50-ibn.yml, configs/Base-bagtricks.yml",
    image=(256, 256),
    maps=(16, 16),
    groups=_BOT.groups,
    head={"pool": "gem", "gem_p": 3.0, "gem_learnable": False, "neck": "bnneck", "last_stride": 1},
    metric_features="before_neck",
    model_options={"stem": "fastreid"},
    curve=fastreid(steps_after_warmup([30, 70, 90]), warmup=5000, factor=0.1, steps=542),
    epochs=120,
    losses={"softmax": 1.0, "weighted_triplet": 1.0},
    loss_options={
        "softmax": {"eps": 0.1, "form": "k_minus_1"},
        "weighted_triplet": {"normalize": False, "across_ranks": False},
    },
    batch=512,
    instances=4,
    transforms={
        "random_flip": {"p": 0.5},
        "pad_crop": _PADDED,
        "random_erase": _FASTREID_ERASED,
    },
    settings={"data.resize": "pillow_bicubic", "test.protocol": "veriwild"},
)

_BOT_VEHICLEID = replace(
    _BOT_VERIWILD,
    recipe="bot_vehicleid",
    source="configs/VehicleID/bagtricks_R50-ibn.yml, configs/Base-bagtricks.yml",
    curve=fastreid(steps_after_warmup([30, 50]), warmup=2000, factor=0.1, steps=221),
    epochs=60,
    settings={"data.resize": "pillow_bicubic", "test.protocol": "vehicleid"},
)

ROWS = [_BOT, _AGW, _SBS, _SBS_IBN, _MGN, _SBS_VERI, _BOT_VERIWILD, _BOT_VEHICLEID]
