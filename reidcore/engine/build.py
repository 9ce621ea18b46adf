"""From a configuration to an engine and its plan."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from reidcore import registry
from reidcore.config import Config, chosen_protocol, model_arguments, options_of, resolved
from reidcore.data import DataManager, ImageDataManager, VideoDataManager
from reidcore.engine.batch_layout import ClipBatches
from reidcore.engine.engine import Engine
from reidcore.engine.loss_terms import LossTerms
from reidcore.engine.plan import RunPlan
from reidcore.engine.precision import Precision
from reidcore.engine.rng import set_random_seed
from reidcore.errors import ConfigError
from reidcore.models import build_model, load_pretrained_weights
from reidcore.optim import build_lr_scheduler, build_optimizer

if TYPE_CHECKING:
    from reidcore.plugins import Plugins

_log = logging.getLogger(__name__)


def prepare(config: Config, plugins: Plugins) -> tuple[Engine, RunPlan]:
    """Build what a configuration describes.

    Args:
        config: checked against these plugins.
        plugins: the run's.

    Returns:
        The engine and the plan to execute; a resumed one starts where its checkpoint ended.

    Raises:
        UserError: if a dataset, a weight file or an option is not as it should be.
    """
    set_random_seed(config.train.seed)
    datamanager = build_datamanager(config, plugins)
    model = build_network(config, _num_classes(config, datamanager), plugins)
    optimizer, scheduler = build_optimization(config, model, plugins)
    engine = build_engine(config, datamanager, model, optimizer, scheduler, plugins)
    if config.data.type == "video":
        engine.batch_layout = ClipBatches(config.video.pooling_method)
    engine.config = resolved(config, plugins)
    start_epoch = config.train.start_epoch
    if config.model.resume:
        start_epoch = engine.resume(config.model.resume)
    return engine, build_plan(config, start_epoch, plugins)


def build_datamanager(config: Config, plugins: Plugins) -> DataManager:
    """Build the loaders; a run that only tests needs no training images."""
    data, sampler, video = config.data, config.sampler, config.video
    shared: dict[str, Any] = {
        "root": data.root,
        "sources": data.sources,
        "targets": data.targets,
        "height": data.height,
        "width": data.width,
        "transforms": data.transforms,
        "norm_mean": data.norm_mean,
        "norm_std": data.norm_std,
        "use_gpu": config.use_gpu,
        "split_id": data.split_id,
        "combineall": data.combineall,
        "batch_size_train": config.train.batch_size,
        "batch_size_test": config.test.batch_size,
        "workers": data.workers,
        "num_instances": sampler.num_instances,
        "num_cams": sampler.num_cams,
        "num_datasets": sampler.num_datasets,
        "train_sampler": sampler.train_sampler,
        "seed": config.train.seed,
        "on_bad_image": data.on_bad_image,
        "augment": data.augment,
        "draft": data.draft,
        "cache": data.cache,
        "cache_gb": data.cache_gb,
        "test_only": config.test.evaluate,
        "plugins": plugins,
        "sections": _sections(config, plugins),
    }
    if data.type == "video":
        _check_suits_video(config)
        return VideoDataManager(seq_len=video.seq_len, sample_method=video.sample_method, **shared)
    return ImageDataManager(
        k_tfm=data.k_tfm,
        load_train_targets=data.load_train_targets,
        train_sampler_t=sampler.train_sampler_t,
        **shared,
    )


def build_network(config: Config, num_classes: int, plugins: Plugins) -> nn.Module:
    """Build the model and load the weights that the configuration names."""
    section = config.model
    brings_weights = bool(section.load_weights or section.resume)
    model = build_model(
        section.name,
        num_classes,
        loss=_model_loss(config),
        pretrained=section.pretrained and not brings_weights,
        use_gpu=config.use_gpu,
        plugins=plugins,
        **model_arguments(config, plugins),
    )
    if section.load_weights and not section.resume:
        load_pretrained_weights(model, section.load_weights)
    return model


def build_optimization(
    config: Config, model: nn.Module, plugins: Plugins
) -> tuple[Optimizer, LRScheduler]:
    """Build the optimizer and its scheduler."""
    train = config.train
    optimizer = build_optimizer(
        model,
        train.optim,
        lr=train.lr,
        weight_decay=train.weight_decay,
        staged_lr=train.staged_lr,
        new_layers=train.new_layers,
        base_lr_mult=train.base_lr_mult,
        plugins=plugins,
        section=options_of(config, "optimizers", train.optim, plugins),
    )
    scheduler = build_lr_scheduler(
        optimizer,
        train.lr_scheduler,
        stepsize=train.stepsize,
        gamma=train.gamma,
        max_epoch=train.max_epoch,
        plugins=plugins,
        section=options_of(config, "schedulers", train.lr_scheduler, plugins),
    )
    return optimizer, scheduler


def build_engine(
    config: Config,
    datamanager: DataManager,
    model: nn.Module,
    optimizer: Optimizer,
    scheduler: LRScheduler,
    plugins: Plugins,
) -> Engine:
    """Build the engine that ``loss.name`` names, or the core's with weighted loss terms."""
    train = config.train
    options: dict[str, Any] = {
        "use_gpu": config.use_gpu,
        "plugins": plugins,
        "precision": Precision(train.amp, train.channels_last, train.accumulate),
        "step": train.step,
    }
    weights = _weights_of_terms(config, plugins)
    if weights is None:
        entry = registry.find("engines", config.loss.name, plugins)
        own = options_of(config, "engines", config.loss.name, plugins)
        named: Engine = entry.load()(
            datamanager, model, optimizer, scheduler=scheduler, **own, **options
        )
        return named
    engine = Engine(datamanager, **options)
    engine.register_model("model", model, optimizer, scheduler)
    engine.terms = build_terms(config, weights, _num_classes(config, datamanager), plugins)
    return engine


def build_terms(
    config: Config, weights: dict[str, float], num_classes: int, plugins: Plugins
) -> LossTerms:
    """Build the weighted loss terms."""
    return {
        name: (
            weight,
            registry.find("losses", name, plugins).load()(
                num_classes, **options_of(config, "losses", name, plugins)
            ),
        )
        for name, weight in weights.items()
    }


def build_plan(config: Config, start_epoch: int, plugins: Plugins) -> RunPlan:
    """Return what the run is to do."""
    train, test = config.train, config.test
    protocol = chosen_protocol(config, plugins) or "market1501"
    return RunPlan(
        save_dir=config.data.save_dir,
        max_epoch=train.max_epoch,
        start_epoch=start_epoch,
        print_freq=train.print_freq,
        fixbase_epoch=train.fixbase_epoch,
        open_layers=tuple(train.open_layers),
        start_eval=test.start_eval,
        eval_freq=test.eval_freq,
        test_only=test.evaluate,
        dist_metric=test.dist_metric,
        normalize_feature=test.normalize_feature,
        visrank=test.visrank,
        visrank_topk=test.visrank_topk,
        protocol=protocol,
        protocol_options=options_of(config, "protocols", protocol, plugins),
        ranks=tuple(test.ranks),
        rerank=test.rerank,
        ties=test.ties,
        max_rank=test.max_rank,
    )


def _num_classes(config: Config, datamanager: DataManager) -> int:
    """Return the number of training identities; a test without any does not ask for them."""
    least = 1 if config.test.evaluate else 0
    return max(datamanager.num_train_pids, least)


def _weights_of_terms(config: Config, plugins: Plugins) -> dict[str, float] | None:
    """Return the weights of ``loss.terms``, or of the one loss that is named and is no engine."""
    if config.loss.terms:
        return config.loss.terms
    name = config.loss.name
    engines = registry.entries("engines", plugins)
    if any(name in (entry.name, entry.qualified_name, *entry.aliases) for entry in engines):
        return None
    return {name: 1.0}


def _check_suits_video(config: Config) -> None:
    """Refuse what only images have, which would be without effect."""
    data = config.data
    only_of_images = {"k_tfm": data.k_tfm > 1, "load_train_targets": data.load_train_targets}
    for name, is_set in only_of_images.items():
        if is_set:
            raise ConfigError(
                f"data.{name}={getattr(data, name)} with data.type=video", "It is for images only"
            )


def _model_loss(config: Config) -> str:
    """Return what a bare call of the model gives in training; the engine asks for everything."""
    return config.loss.name if config.loss.name in ("softmax", "triplet") else "softmax"


def _sections(config: Config, plugins: Plugins) -> dict[str, dict[str, Any]]:
    """Return the own options of the datasets, transforms and samplers in use, by their names."""
    data, sampler = config.data, config.sampler
    used = {
        "datasets": [*data.sources, *data.targets],
        "transforms": data.transforms,
        "samplers": [sampler.train_sampler, sampler.train_sampler_t],
    }
    sections = {}
    for kind, names in used.items():
        for name in dict.fromkeys(names):
            sections[name] = options_of(config, kind, name, plugins)
    return sections
