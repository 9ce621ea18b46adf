"""``MODEL``: the backbone and the head."""

from __future__ import annotations

from typing import Any

from reid_plugins_migrate.configs.values import Given, Tree
from reidcore.errors import ConfigError, did_you_mean, quoted

# Bottleneck networks have non-local blocks in two stages: DEPTH -> how many, per stage.
_NON_LOCAL = {"50x": [0, 2, 3, 0], "101x": [0, 2, 9, 0]}
# (DEPTH, WITH_IBN) -> our ResNet.
_RESNETS = {
    ("18x", False): "resnet18",
    ("34x", False): "resnet34",
    ("50x", False): "resnet50",
    ("101x", False): "resnet101",
    ("50x", True): "resnet50_ibn_a",
}
_POOLINGS: dict[str, Tree] = {
    "GlobalAvgPool": {"pool": "avg"},
    "FastGlobalAvgPool": {"pool": "avg"},
    "GlobalMaxPool": {"pool": "max"},
    "AdaptiveAvgMaxPool": {"pool": "avg+max"},
    "GeneralizedMeanPooling": {"pool": "gem", "gem_p": 3.0, "gem_learnable": False},
    "GeneralizedMeanPoolingP": {"pool": "gem", "gem_p": 3.0},
}
# Those of version 0.2, which POOL_LAYER and CLS_LAYER had until 2021.
_OLDER = {
    "avgpool": "GlobalAvgPool",
    "fastavgpool": "FastGlobalAvgPool",
    "maxpool": "GlobalMaxPool",
    "avgmaxpool": "AdaptiveAvgMaxPool",
    "gempool": "GeneralizedMeanPooling",
    "gempoolP": "GeneralizedMeanPoolingP",
    "linear": "Linear",
    "arcSoftmax": "ArcSoftmax",
    "circleSoftmax": "CircleSoftmax",
    "cosSoftmax": "CosSoftmax",
    "amSoftmax": "CosSoftmax",
}
_CLASSIFIERS = {
    "Linear": "linear",
    "ArcSoftmax": "arcface",
    "CosSoftmax": "cosface",
    "CircleSoftmax": "circle",
}


def network(given: Given, model: str = "") -> Tree:
    """Return the section ``model``.

    Raises:
        ConfigError: if a pooling or classifier is none of FastReID's, or the network has no
            counterpart and ``model`` does not name one.
    """
    given.ignore("MODEL.BACKBONE.FEAT_DIM", "MODEL.HEADS.NUM_CLASSES", "MODEL.HEADS.NAME")
    made: Tree = {"pretrained": bool(given["MODEL.BACKBONE.PRETRAIN"])}
    if path := given["MODEL.BACKBONE.PRETRAIN_PATH"]:
        given.changed("MODEL.BACKBONE.PRETRAIN_PATH", "published weights are taken instead")
        made["pretrained"] = bool(path)
    if weights := given["MODEL.WEIGHTS"]:
        made["load_weights"] = str(weights)
        given.changed("MODEL.WEIGHTS", "bring the file over: reidcore migrate checkpoint")
    for key in ("MODEL.BACKBONE.NORM", "MODEL.HEADS.NORM"):
        if given[key] not in ("BN", "syncBN"):
            given.lost(key, "norms are batch norms")
        elif given[key] == "syncBN":
            given.changed(key, "several processes: batch norms are each process's own")
    if given["MODEL.META_ARCHITECTURE"] == "MGN":
        return _mgn(given, made, model)
    if (architecture := given["MODEL.META_ARCHITECTURE"]) != "Baseline":
        given.lost("MODEL.META_ARCHITECTURE", f"trained as a Baseline, not as {architecture}")
    backbone = {"name": model} if model else _backbone(given)
    head = {**_POOLINGS[_pooling(given)]} if _pooling(given) != "Identity" else {}
    head |= _neck(given) | _classifier(given)
    if given["MODEL.BACKBONE.LAST_STRIDE"] == 1 and "resnet" in backbone["name"]:
        head["last_stride"] = 1
    return {**backbone, **made, "head": head}


def _backbone(given: Given) -> Tree:
    builder = str(given["MODEL.BACKBONE.NAME"])
    depth, has_ibn = str(given["MODEL.BACKBONE.DEPTH"]), bool(given["MODEL.BACKBONE.WITH_IBN"])
    depth = f"{depth}x" if depth.isdigit() else depth
    name = _RESNETS.get((depth, has_ibn)) if builder == "build_resnet_backbone" else None
    if builder == "build_osnet_backbone":
        name = f"osnet_{'ibn_' if has_ibn else ''}{depth}"
    if name is None or given["MODEL.BACKBONE.WITH_SE"]:
        kind = "with IBN " if has_ibn else ""
        kind += "with SE " if given["MODEL.BACKBONE.WITH_SE"] else ""
        raise ConfigError(
            f"FastReID's {builder} of depth {depth} {kind}has no counterpart".replace("  ", " "),
            "Name a network that comes near: --model NAME; reidcore ls models has them.",
        )
    made: Tree = {"name": name}
    if name.startswith("resnet"):
        made["stem"] = "fastreid"
    if given["MODEL.BACKBONE.WITH_NL"] and depth in _NON_LOCAL:
        made |= {"non_local": _NON_LOCAL[depth], "non_local_channels": 1}
    return made


def _mgn(given: Given, made: Tree, model: str) -> Tree:
    """Return MGN, which has its head built in."""
    backbone = {"name": model} if model else _backbone(given)
    given.ignore("MODEL.HEADS.WITH_BNNECK", "MODEL.HEADS.NECK_FEAT", "MODEL.BACKBONE.LAST_STRIDE")
    head = _POOLINGS[_pooling(given)]
    options = {"p": head["gem_p"]} if "gem_p" in head else {}
    if head.get("gem_learnable") is False:
        options["learnable"] = False
    classifier = _classifier(given)
    layer = str(classifier.pop("classifier", "linear"))
    return {
        "name": "mgn",
        **made,
        "backbone": backbone["name"],
        "stem": backbone.get("stem", "torchvision"),
        "embedding": int(given.number("MODEL.HEADS.EMBEDDING_DIM")) or 256,
        "pool": {head["pool"]: options},
        "classifier": {layer: classifier},
    }


def _pooling(given: Given) -> str:
    return _known(given, "MODEL.HEADS.POOL_LAYER", {*_POOLINGS, "Identity"})


def _known(given: Given, key: str, known: Any) -> str:
    """Return a name under which version 1 knows it.

    Raises:
        ConfigError: if it knows no such name.
    """
    name = str(given[key])
    name = _OLDER.get(name, name)
    if name not in known:
        raise ConfigError(
            f"{key} is {quoted(given[key])}, which FastReID does not have",
            did_you_mean(name, known) or f"It has {', '.join(sorted(known))}.",
        )
    return name


def _neck(given: Given) -> Tree:
    made: Tree = {}
    if width := int(given.number("MODEL.HEADS.EMBEDDING_DIM")):
        made["embedding"] = width
    if given["MODEL.HEADS.WITH_BNNECK"]:
        made["neck"] = "bnneck"
        if given["MODEL.HEADS.NECK_FEAT"] == "after":
            made["metric_features"] = "after_neck"
    else:
        given.ignore("MODEL.HEADS.NECK_FEAT")
    return made


def _classifier(given: Given) -> Tree:
    name = _CLASSIFIERS[_known(given, "MODEL.HEADS.CLS_LAYER", _CLASSIFIERS)]
    scale, margin = given.number("MODEL.HEADS.SCALE"), given.number("MODEL.HEADS.MARGIN")
    if name == "linear":
        return {}
    return {"classifier": name, "scale": float(scale), "margin": float(margin)}
