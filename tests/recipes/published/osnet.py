"""OSNet, from KaiyangZhou/deep-person-reid f8cd150, configs/*.yaml and docs/MODEL_ZOO.md."""

from __future__ import annotations

from dataclasses import replace

from tests.recipes.expected import Expected, Group, cosine, step

_X1_0 = Expected(
    recipe="osnet_x1_0_market1501",
    source="configs/im_osnet_x1_0_softmax_256x128_amsgrad.yaml",
    model="osnet_x1_0",
    image=(256, 128),
    optimizer="Adam",
    optimizer_options={"amsgrad": True, "betas": (0.9, 0.999)},
    groups=[Group("", 0.0015, 5e-4)],
    curve=step(60),
    epochs=150,
    maps=(16, 8),
    features=512,
    metric_features=None,
    test_features=None,
    losses={"softmax": 1.0},
    loss_options={"softmax": {"eps": 0.1, "form": "k"}},
    sampler="RandomSampler",
    batch=64,
    transforms={"random_flip": {"p": 0.5}},
    metric="euclidean",
    normalized=False,
    amp=False,
    settings={
        "data.resize": "torch",
        "train.fixbase_epoch": 10,
        "train.open_layers": ["classifier"],
    },
)

_JITTER = {"brightness": 0.2, "contrast": 0.15, "saturation": 0.0, "hue": 0.0}
_GENERAL = {"random_flip": {"p": 0.5}, "color_jitter": _JITTER}

_X0_25 = replace(
    _X1_0,
    recipe="osnet_x0_25_market1501",
    source="configs/im_osnet_x0_25_softmax_256x128_amsgrad.yaml",
    model="osnet_x0_25",
    groups=[Group("", 0.003, 5e-4)],
    curve=step(80),
    epochs=180,
    batch=128,
)

ROWS = [
    _X1_0,
    replace(
        _X1_0,
        recipe="osnet_x0_75_market1501",
        source="configs/im_osnet_x0_75_softmax_256x128_amsgrad.yaml",
        model="osnet_x0_75",
    ),
    replace(
        _X0_25,
        recipe="osnet_x0_5_market1501",
        source="configs/im_osnet_x0_5_softmax_256x128_amsgrad.yaml",
        model="osnet_x0_5",
    ),
    _X0_25,
    replace(
        _X1_0,
        recipe="osnet_x1_0_market1501_cosine",
        source="configs/im_osnet_x1_0_softmax_256x128_amsgrad_cosine.yaml",
        curve=cosine(250),
        epochs=250,
    ),
    replace(
        _X1_0,
        recipe="osnet_ibn_x1_0_market1501",
        source="configs/im_osnet_ibn_x1_0_softmax_256x128_amsgrad.yaml",
        model="osnet_ibn_x1_0",
        transforms=_GENERAL,
    ),
    replace(
        _X1_0,
        recipe="osnet_ain_x1_0_market1501",
        source="configs/im_osnet_ain_x1_0_softmax_256x128_amsgrad_cosine.yaml",
        model="osnet_ain_x1_0",
        curve=cosine(100),
        epochs=100,
        transforms=_GENERAL,
        metric="cosine",
    ),
]
