"""CAL, from guxinqian/Simple-CCReID f773d01: configs/, main.py, data/, losses/, script.sh."""

from __future__ import annotations

from tests.recipes.expected import Expected, Group, steps_after_warmup

ROWS = [
    Expected(
        recipe="cal_r50",
        source="configs/default_img.py, configs/res50_cels_cal.yaml, script.sh",
        model="resnet50",
        image=(384, 192),
        optimizer="Adam",
        optimizer_options={"betas": (0.9, 0.999)},
        groups=[Group("", 3.5e-4, 5e-4)],
        curve=steps_after_warmup([20, 40]),
        epochs=60,
        maps=(24, 12),
        features=4096,
        head={
            "pool": "avg_max_cat",
            "neck": "bnneck",
            "last_stride": 1,
        },
        metric_features="after_neck",
        test_features="after_neck",
        losses={"softmax": 1.0, "clothes_adversarial": 1.0, "clothes": 1.0},
        loss_options={
            "softmax": {"eps": 0.1, "form": "k"},
            "clothes_adversarial": {
                "scale": 16,
                "eps": 0.1,
                "start_epoch": 25,
                "lr": 3.5e-4,
                "weight_decay": 5e-4,
            },
        },
        sampler="RandomIdentitySampler",
        batch=2 * 32,
        instances=8,
        transforms={
            "random_flip": {"p": 0.5},
            "random_crop": {"p": 0.5, "enlarge": 1.125},
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
        settings={
            "data.resize": "torch",
            "test.protocol": "clothes",
            "settings.standard.test_time": ["flip", "normalize"],
        },
    )
]
