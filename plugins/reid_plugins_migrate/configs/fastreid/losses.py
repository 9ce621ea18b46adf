"""``MODEL.LOSSES``: the terms, their weights and their options."""

from __future__ import annotations

from reid_plugins_migrate.configs.values import Given, Tree
from reidcore.errors import ConfigError, did_you_mean, quoted

_TERMS = ("CrossEntropyLoss", "TripletLoss", "CircleLoss", "Cosface", "FocalLoss")
# Of FastReID's projects -> what there is here.
_OF_PROJECTS = {
    "BinaryCrossEntropyLoss": "It is of the project FastAttr. Here attributes are learnt by the "
    "loss 'attributes': see docs/attributes.md.",
}
_SECTIONS = {"CE": "CrossEntropyLoss", "TRI": "TripletLoss", "FL": "FocalLoss"}
_SECTIONS |= {"CIRCLE": "CircleLoss", "COSFACE": "Cosface"}


def losses(given: Given) -> Tree:
    """Return the section ``loss``.

    Raises:
        ConfigError: if a loss is none of FastReID's, or there is none.
    """
    names = [str(name) for name in given.several("MODEL.LOSSES.NAME")]
    if not names:
        raise ConfigError("MODEL.LOSSES.NAME has no loss", f"It has {', '.join(_TERMS)}.")
    for name in names:
        if name not in _TERMS:
            near = _OF_PROJECTS.get(name) or did_you_mean(name, _TERMS)
            near = near or f"It has {', '.join(_TERMS)}."
            raise ConfigError(f"MODEL.LOSSES.NAME has {quoted(name)}", near)
    for section, name in _SECTIONS.items():
        if name not in names:  # its options have no part in anything
            given.ignore(*(key for key in given.written if f"LOSSES.{section}." in key))
    makers = {
        "CrossEntropyLoss": _cross_entropy,
        "TripletLoss": _triplet,
        "CircleLoss": _circle,
        "Cosface": _cosface,
        "FocalLoss": _focal,
    }
    loss: Tree = {"terms": {}}
    for name in dict.fromkeys(names):
        term, weight, options = makers[name](given)
        loss["terms"][term] = float(weight)
        if options:
            loss[term] = options
    return {"loss": loss}


def _cross_entropy(given: Given) -> tuple[str, float, Tree]:
    eps = given.number("MODEL.LOSSES.CE.EPSILON")
    given.ignore("MODEL.LOSSES.CE.ALPHA")
    options: Tree = {"label_smooth": False}
    if eps < 0:
        given.lost("MODEL.LOSSES.CE.EPSILON", "smoothing does not adapt: 0.1 is taken")
        eps = 0.1
    if eps > 0:
        options = {"label_smooth": True, "form": "k_minus_1"}
        options |= {"eps": float(eps)} if eps != 0.1 else {}
    return "softmax", given.number("MODEL.LOSSES.CE.SCALE"), options


def _triplet(given: Given) -> tuple[str, float, Tree]:
    margin = given.number("MODEL.LOSSES.TRI.MARGIN")
    is_hard, scale = given["MODEL.LOSSES.TRI.HARD_MINING"], given.number("MODEL.LOSSES.TRI.SCALE")
    options: Tree = {}
    if given["MODEL.LOSSES.TRI.NORM_FEAT"]:
        options["normalize"] = True
        given.changed("MODEL.LOSSES.TRI.NORM_FEAT", "distances are Euclidean, not 1 - cosine")
    if not is_hard:
        if margin > 0:
            given.lost("MODEL.LOSSES.TRI.MARGIN", "the loss over all pairs has a soft margin")
        return "weighted_triplet", scale, options
    return "triplet", scale, {**options, **({"margin": margin} if margin > 0 else {"soft": True})}


def _circle(given: Given) -> tuple[str, float, Tree]:
    margin, scale = (given.number(f"MODEL.LOSSES.CIRCLE.{key}") for key in ("MARGIN", "GAMMA"))
    options = {"margin": float(margin), "scale": float(scale)}
    return "circle", given.number("MODEL.LOSSES.CIRCLE.SCALE"), options


def _cosface(given: Given) -> tuple[str, float, Tree]:
    margin, scale = (given.number(f"MODEL.LOSSES.COSFACE.{key}") for key in ("MARGIN", "GAMMA"))
    options = {"margin": float(margin), "scale": float(scale)}
    return "cosface_pairs", given.number("MODEL.LOSSES.COSFACE.SCALE"), options


def _focal(given: Given) -> tuple[str, float, Tree]:
    alpha, gamma = (given.number(f"MODEL.LOSSES.FL.{key}") for key in ("ALPHA", "GAMMA"))
    options = {"alpha": float(alpha), "gamma": float(gamma)}
    return "focal", given.number("MODEL.LOSSES.FL.SCALE"), options
