"""The core's own components, registered the way every plugin registers its own.

Poolings, classifiers, transforms, optimizers, rules for parameter groups, schedulers, protocols and
recipes; models, datasets, losses, samplers and engines come from other plugins. Test-time steps are
registered through a hook that this package publishes, ``reid_register_test_time``.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from reidcore import hookimpl
from reidcore.plugins import current_plugins

if TYPE_CHECKING:
    from torch import nn

    from reidcore.config import Config, OptimOptions
    from reidcore.plugins import HookPublisher
    from reidcore.registry import ConfigRegistrar, Registrar


@hookimpl
def reid_register_poolings(registry: Registrar) -> None:
    """Register the poolings of the field."""
    package = f"{__name__}.poolings"
    registry.add("avg", f"{package}:average", summary="the average of each map")
    registry.add("max", f"{package}:maximum", summary="the maximum of each map")
    registry.add("avg+max", f"{package}:AvgMaxPool", summary="the sum of both")
    registry.add("avg_max_cat", f"{package}:MaxAvgPool", summary="both side by side, maxima first")
    registry.add(
        "gem",
        f"{package}:GeneralizedMeanPool",
        summary="generalized mean, its exponent learnt or fixed",
        options={"gem_p": "p", "gem_learnable": "learnable"},
    )


@hookimpl
def reid_register_classifiers(registry: Registrar) -> None:
    """Register the linear classifier, and cosines with a margin."""
    package = f"{__name__}.classifiers"
    registry.add("linear", "reidcore.models:linear_classifier", summary="a linear layer")
    registry.add("arcface", f"{package}:ArcFace", summary="cosines, a margin on the angle")
    registry.add("cosface", f"{package}:CosFace", summary="cosines, a margin on the cosine")
    registry.add("circle", f"{package}:Circle", summary="cosines, weighed by how far they are off")


@hookimpl
def reid_register_transforms(registry: Registrar) -> None:
    """Register Torchreid's training transforms, and further ones of the field."""
    package = f"{__name__}.transforms"
    registry.add("random_flip", f"{package}.flip:RandomFlip", summary="mirror every other image")
    registry.add(
        "random_crop", f"{package}.crop:RandomCrop", summary="enlarge by an eighth, then crop"
    )
    registry.add(
        "random_patch", f"{package}.patch:RandomPatch", summary="paste a patch of another image"
    )
    registry.add(
        "color_jitter", f"{package}.jitter:ColorJitter", summary="change brightness and contrast"
    )
    registry.add("random_erase", f"{package}.erase:RandomErase", summary="blank out a rectangle")
    registry.add("pad_crop", f"{package}.crop:PadCrop", summary="surround with a margin, then crop")
    registry.add(
        "letterbox",
        f"{package}.letterbox:Letterbox",
        summary="resize without stretching, with margins",
    )
    registry.add("gray_patch", f"{package}.gray:GrayPatch", summary="make a rectangle grey")
    registry.add("blur", f"{package}.blur:Blur", summary="blur by a random amount")
    registry.add(
        "auto_augment", f"{package}.policies:auto_augment", summary="a learnt pair of operations"
    )
    registry.add(
        "rand_augment",
        f"{package}.policies:rand_augment",
        summary="some operations of one strength",
    )
    registry.add("aug_mix", f"{package}.policies:aug_mix", summary="mix with chains of operations")


@hookimpl
def reid_register_optimizers(registry: Registrar) -> None:
    """Register Torchreid's optimizers, and further ones of torch.

    Their options answer to ``build_optimizer``'s argument names, and to the keys of the sections
    ``adam`` and ``sgd``, which several of them share.
    """
    package = "reid_plugins_standard.optimizers"
    betas = {"adam_beta1": "beta1", "adam_beta2": "beta2"}
    shared_betas = {**betas, "adam.beta1": "beta1", "adam.beta2": "beta2"}
    registry.add("adam", f"{package}:adam", summary="Adam", options=betas)
    registry.add(
        "amsgrad",
        f"{package}:amsgrad",
        summary="Adam that never forgets a large gradient",
        options=shared_betas,
    )
    registry.add(
        "radam",
        f"{package}:radam",
        summary="rectified Adam, weight decay decoupled",
        options=shared_betas,
    )
    registry.add(
        "adamw", f"{package}:adamw", summary="Adam, weight decay decoupled", options=shared_betas
    )
    registry.add(
        "nadam", f"{package}:nadam", summary="Adam with Nesterov momentum", options=shared_betas
    )
    registry.add(
        "adamax", f"{package}:adamax", summary="Adam by the infinity norm", options=shared_betas
    )
    registry.add("adagrad", f"{package}:adagrad", summary="rates by all gradients so far")
    registry.add("adadelta", f"{package}:adadelta", summary="rates by recent gradients and steps")
    registry.add(
        "sgd",
        f"{package}:sgd",
        summary="stochastic gradient descent with momentum",
        options={
            "momentum": "momentum",
            "sgd_dampening": "dampening",
            "sgd_nesterov": "nesterov",
        },
    )
    registry.add(
        "rmsprop",
        f"{package}:rmsprop",
        summary="RMSprop",
        options={"momentum": "momentum", "sgd.momentum": "momentum", "rmsprop_alpha": "alpha"},
    )


@hookimpl
def reid_parameter_groups(model: nn.Module, options: OptimOptions) -> list[dict[str, Any]] | None:
    """Follow ``train.groups`` and ``train.layer_decay`` where a run sets one of them."""
    if not options.groups and options.layer_decay is None:
        return None
    from reid_plugins_standard.parameter_groups import ruled_groups

    return ruled_groups(model, options)


@hookimpl
def reid_register_schedulers(registry: Registrar) -> None:
    """Register Torchreid's learning-rate schedulers, and further ones of the field."""
    package = "reid_plugins_standard.schedulers"
    registry.add("single_step", f"{package}:single_step", summary="drop every so many epochs")
    registry.add("multi_step", f"{package}:multi_step", summary="drop at the given epochs")
    registry.add("cosine", f"{package}:cosine", summary="fall along a cosine")
    registry.add(
        "flat_cosine",
        f"{package}:flat_cosine",
        summary="stay for a while, then fall along a cosine",
    )
    registry.add(
        "warmup_cosine", f"{package}:warmup_cosine", summary="rise, then fall along a cosine"
    )
    registry.add(
        "polynomial", f"{package}:polynomial", summary="fall to zero along a power of time"
    )
    registry.add("one_cycle", f"{package}:one_cycle", summary="rise, then fall to almost zero")
    registry.add("constant", f"{package}:constant", summary="stay as it is")


@hookimpl
def reid_register_protocols(registry: Registrar) -> None:
    """Register the rules of the benchmarks; the usual one has a name for each that follows it."""
    usual, nothing_ignored = "reidcore.evaluation:Market1501", "reidcore.evaluation:AnyCamera"
    registry.add("market1501", usual, summary="same person and camera ignored; the usual")
    registry.add("occluded", usual, summary="hidden people: the usual rule")
    registry.add("veriwild", usual, summary="VERI-Wild: the usual rule")
    registry.add("any_camera", nothing_ignored, summary="nothing ignored; for data of one camera")
    registry.add("partial", nothing_ignored, summary="parts of people: nothing ignored")
    registry.add(
        "cuhk03",
        "reidcore.evaluation:Cuhk03",
        summary="one gallery image for each person, in exact expectation",
        options={"cuhk03.use_metric_cuhk03": "select"},
    )
    registry.add(
        "video",
        f"{__name__}.protocols.groups:Video",
        summary="tracklets, whose frames are pooled where they are rows",
        options={"video.pooling_method": "pooling"},
    )
    registry.add(
        "discovery",
        f"{__name__}.protocols.discovery:Discovery",
        summary="clusters against identities: ARI, NMI, false merges",
        needs=["clustering"],
    )
    for name, (target, summary) in _PROTOCOLS.items():
        registry.add(name, f"{__name__}.protocols.{target}", summary=summary)


@hookimpl
def reid_register_configs(registry: ConfigRegistrar) -> None:
    """Register the ready recipes, and have ``settings.standard`` checked."""
    registry.settings("reid_plugins_standard.settings:StandardSettings")
    registry.add(
        "quickstart",
        "reid_plugins_standard:recipes/quickstart.yaml",
        summary="OSNet on the synthetic dataset, three minutes on a laptop",
    )
    for name, summary in _GENERALISATION_RECIPES.items():
        registry.add(name, f"reid_plugins_standard:recipes/{name}.yaml", summary=summary)


@hookimpl
def reid_add_hookspecs(plugins: HookPublisher) -> None:
    """Publish ``reid_register_test_time``."""
    from reid_plugins_standard import hookspecs

    plugins.add_hookspecs(hookspecs)


@hookimpl
def reid_register_test_time(registry: Registrar) -> None:
    """Register the test-time steps of the field."""
    for name, (target, summary) in _TEST_TIME.items():
        spellings = {"lambda": "lambda_value"} if name == "rerank" else None
        target = f"{__name__}.test_time.{target}"
        registry.add(name, target, summary=summary, options=spellings)


@hookimpl
def reid_configure(config: Config) -> None:
    """Bring the test-time steps that a run asks for; tell and refuse options that do not fit."""
    from reid_plugins_standard.unused_options import tell_unused_options

    tell_unused_options(config, current_plugins())
    if config.train.lr_scheduler == "warmup_cosine":
        from reid_plugins_standard.schedulers import check_one_warmup

        check_one_warmup(config)
    settings = config.settings.get("standard")
    parts: dict[str, object] = {}
    if settings and settings.test_time:
        from reid_plugins_standard.test_time import TestTime

        steps = TestTime(settings.test_time)
        steps.check_alone(config.test.rerank)
        parts["test_time"] = steps
    current_plugins().bring(sys.modules[__name__], parts)


# Name -> module and class below ``test_time``, and what it does.
_TEST_TIME = {
    "flip": ("views:Flip", "features of the mirror image too"),
    "multi_scale": ("views:MultiScale", "features of other sizes too"),
    "normalize": ("scaling:Normalize", "features of length 1"),
    "whiten": ("whitening:Whiten", "principal axes of variance 1, learnt on training images"),
    "camera_mean": ("scaling:CameraMean", "take off what a camera's features have in common"),
    "aqe": ("neighbours:AverageQueryExpansion", "queries averaged with their nearest images"),
    "alpha_qe": ("neighbours:AlphaQueryExpansion", "the same, weighed by their cosines"),
    "dba": ("neighbours:DatabaseAugmentation", "gallery images joined by their nearest ones"),
    "rerank": ("neighbours:KReciprocal", "k-reciprocal re-ranking"),
}

# Name -> module and class below ``protocols``, and what it is.
_PROTOCOLS = {
    "clothes": ("clothes:Clothes", "matches in any, in other or in the same clothes"),
    "cuhk03_drawn": ("cuhk03_drawn:Cuhk03Drawn", "one gallery image for each person, drawn"),
    "market1501_multi": ("groups:MultiQuery", "what a camera has of a person is one query"),
    "open_set": ("open_set:OpenSet", "identities left out by lot: DIR at FAR 1 and 10 %"),
    "prcc": ("single_shot:Prcc", "one gallery image of each person in ten draws, or all"),
    "reassociation": ("reassociation:Reassociation", "tracks found again some frames later"),
    "regdb": ("regdb:RegDB", "visible and thermal pictures, one modality among the other"),
    "soccernet": ("soccernet:SoccerNet", "players among those of the same action"),
    "sysu_mm01": ("sysu_mm01:SysuMM01", "infrared queries, galleries drawn for ten trials"),
    "university1652": ("university1652:University1652", "R@1 %, AP as the authors compute it"),
    "vehicleid": ("single_shot:VehicleId", "one image of each vehicle, or the rest, in ten draws"),
    "veri": ("veri:Veri", "vehicles among images and among tracks, trapezoid AP"),
    "verification": ("verification:Verification", "ROC over all pairs: TPR at FPR, EER, AUC"),
    "wildlife": ("wildlife:Wildlife", "known animals and new ones: BAKS, BAUS, balanced accuracy"),
}

# The protocols of domain generalisation: what is learnt from, and what is tested on unseen.
_GENERALISATION_RECIPES = {
    "dg_p1": "all images of four datasets; unseen PRID, VIPeR, GRID and i-LIDS",
    "dg_p2_market1501": "training images of three datasets; unseen Market-1501",
    "dg_p2_msmt17": "training images of three datasets; unseen MSMT17",
    "dg_p2_cuhk03": "training images of three datasets; unseen CUHK03",
    "dg_p3_market1501": "all images of three datasets; unseen Market-1501",
    "dg_p3_msmt17": "all images of three datasets; unseen MSMT17",
    "dg_p3_cuhk03": "all images of three datasets; unseen CUHK03",
}
