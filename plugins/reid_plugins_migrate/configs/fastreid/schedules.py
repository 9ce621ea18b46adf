"""``SOLVER`` and ``DATALOADER``: the optimizer, its rates, epochs, batches and their samplers."""

from __future__ import annotations

import math
from typing import Any

from reid_plugins_migrate.configs.values import Given, Tree
from reidcore.errors import ConfigError, quoted

_OPTIMIZERS = {
    "Adam": "adam",
    "AdamW": "adamw",
    "NAdam": "nadam",
    "RAdam": "radam",
    "RMSprop": "rmsprop",
    "SGD": "sgd",
    "Adagrad": "adagrad",
    "Adadelta": "adadelta",
    "Adamax": "adamax",
}
_SAMPLERS = {
    "TrainingSampler": "RandomSampler",
    "NaiveIdentitySampler": "RandomIdentitySampler",
    "BalancedIdentitySampler": "CameraIdentitySampler",
    "SetReWeightSampler": "BalancedDomainSampler",
}
# FREEZE_LAYERS begins with this -> layers of our ResNets, and of our MGN.
_BACKBONE = ["conv1", "bn1", "layer1", "layer2", "layer3", "layer4"]


def schedule(given: Given) -> Tree:
    """Return the sections ``train``, ``sampler`` and of the optimizer.

    Raises:
        ConfigError: if the optimizer, the schedule or the sampler is none of FastReID's.
    """
    given.ignore("SOLVER.CHECKPOINT_PERIOD")
    optim = _name(given, "SOLVER.OPT", _OPTIMIZERS)
    train: Tree = {
        "optim": optim,
        "lr": float(given.number("SOLVER.BASE_LR")),
        "weight_decay": float(given.number("SOLVER.WEIGHT_DECAY")),
        "max_epoch": int(given.number("SOLVER.MAX_EPOCH")),
        "batch_size": int(given.number("SOLVER.IMS_PER_BATCH")),
    }
    if groups := _groups(given):
        train["groups"] = groups
    if given.is_on("SOLVER.AMP"):
        train["amp"] = "fp16"
    made: Tree = {"train": train, **_sampler(given), **_momentum(given, optim)}
    made |= _falls(given, train)
    train |= _warmup(given)
    settings = {**_clipping(given), **_freezing(given)}
    return {**made, **({"settings": {"training": settings}} if settings else {})}


def _name(given: Given, key: str, known: dict[str, str]) -> str:
    name = str(given[key])
    if name not in known:
        raise ConfigError(
            f"{key} is {quoted(name)}", f"It has a counterpart of {', '.join(known)}."
        )
    return known[name]


def _momentum(given: Given, optim: str) -> Tree:
    if optim != "sgd":
        given.ignore("SOLVER.MOMENTUM", "SOLVER.NESTEROV")
        return {}
    options: Tree = {"momentum": float(given.number("SOLVER.MOMENTUM"))}
    if given["SOLVER.NESTEROV"]:
        options["nesterov"] = True
    return {"sgd": options}


def _groups(given: Given) -> Tree:
    """Return rates and decays of their own; of two decays of a bias in a norm the last counts."""
    decay = given.number("SOLVER.WEIGHT_DECAY")
    groups: Tree = {}
    # The defaults are numbers of their own, which do not follow WEIGHT_DECAY.
    if (of_norms := given.number("SOLVER.WEIGHT_DECAY_NORM")) != decay:
        groups["norm"] = {"weight_decay": float(of_norms)}
    of_biases = given.number("SOLVER.WEIGHT_DECAY_BIAS")
    if of_biases != decay or of_biases != of_norms:
        groups["bias"] = {"weight_decay": float(of_biases)}
    if (factor := given.number("SOLVER.BIAS_LR_FACTOR")) != 1:
        groups["bias"] = {**groups.get("bias", {}), "lr_mult": float(factor)}
    if (factor := given.number("SOLVER.HEADS_LR_FACTOR")) != 1:
        groups |= {name: {"lr_mult": float(factor)} for name in ("head", "classifier")}
    return groups


def _falls(given: Given, train: Tree) -> Tree:
    """Add the schedule to ``train``, and return the section of its options."""
    kind = given["SOLVER.SCHED"]
    if kind == "MultiStepLR":
        given.ignore("SOLVER.ETA_MIN_LR", "SOLVER.DELAY_EPOCHS")
        steps = [int(step) for step in given.numbers("SOLVER.STEPS")]
        gamma = float(given.number("SOLVER.GAMMA"))
        train |= {"lr_scheduler": "multi_step", "stepsize": steps, "gamma": gamma}
        return {}
    if kind != "CosineAnnealingLR":
        raise ConfigError(
            f"SOLVER.SCHED is {quoted(kind)}", "FastReID has MultiStepLR and CosineAnnealingLR."
        )
    given.ignore("SOLVER.STEPS", "SOLVER.GAMMA")
    floor, delay = (
        float(given.number("SOLVER.ETA_MIN_LR")),
        int(given.number("SOLVER.DELAY_EPOCHS")),
    )
    if delay:
        train |= {"lr_scheduler": "flat_cosine", "stepsize": [delay]}
        return {"flat_cosine": {"eta_min": floor}}
    given.changed("SOLVER.SCHED", "the cosine begins at epoch 0, theirs behind the warm-up")
    train["lr_scheduler"] = "cosine"
    return {"cosine": {"eta_min": floor}}


def _warmup(given: Given) -> Tree:
    steps = int(given.number("SOLVER.WARMUP_ITERS"))
    if not steps:
        given.ignore("SOLVER.WARMUP_FACTOR", "SOLVER.WARMUP_METHOD")
        return {}
    if given["SOLVER.WARMUP_METHOD"] not in ("linear", "exp"):
        given.lost("SOLVER.WARMUP_METHOD", "the rate rises along a line")
    elif given["SOLVER.WARMUP_METHOD"] == "exp":
        given.changed("SOLVER.WARMUP_METHOD", "the rate rises along a line, not exponentially")
    return {"warmup_steps": steps, "warmup_factor": float(given.number("SOLVER.WARMUP_FACTOR"))}


def _sampler(given: Given) -> Tree:
    given.ignore("DATALOADER.NUM_WORKERS")
    name = _name(given, "DATALOADER.SAMPLER_TRAIN", _SAMPLERS)
    made: Tree = {"train_sampler": name}
    if name == "RandomSampler":
        given.ignore("DATALOADER.NUM_INSTANCE", "DATALOADER.SET_WEIGHT")
        return {"sampler": made}
    made |= {"num_instances": int(given.number("DATALOADER.NUM_INSTANCE")), "epoch": "size"}
    if name == "BalancedDomainSampler":
        made["weights"] = [int(each) for each in given.numbers("DATALOADER.SET_WEIGHT")]
    return {"sampler": made}


def _clipping(given: Given) -> Tree:
    if not given.is_on("SOLVER.CLIP_GRADIENTS"):
        return {}
    bound = float(given.number("SOLVER.CLIP_GRADIENTS.CLIP_VALUE"))
    kind = str(given["SOLVER.CLIP_GRADIENTS.CLIP_TYPE"])
    if kind == "norm" and not math.isclose(given.number("SOLVER.CLIP_GRADIENTS.NORM_TYPE"), 2):
        given.lost("SOLVER.CLIP_GRADIENTS.NORM_TYPE", "the norm is the Euclidean one")
    return {"clip": {kind: bound}}


def _freezing(given: Given) -> Tree:
    layers: list[Any] = given.several("MODEL.FREEZE_LAYERS")
    steps = int(given.number("SOLVER.FREEZE_ITERS"))
    if not layers or steps <= 0:
        return {}
    is_mgn = given["MODEL.META_ARCHITECTURE"] == "MGN"
    ours: dict[str, list[str]] = {"backbone": ["backbone"] if is_mgn else _BACKBONE}
    ours |= {f"b{number}": ["branches"] for number in (1, 2, 3)} if is_mgn else {}
    ours["heads"] = ["head"]
    names = dict.fromkeys(name for layer in layers for name in ours.get(str(layer), [str(layer)]))
    if any(str(layer) not in ours for layer in layers):
        given.changed("MODEL.FREEZE_LAYERS", "look whether the network has layers of these names")
    return {"freeze": {"layers": list(names), "steps": steps}}
