"""From a configuration to an engine and its plan."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import nn

from reidcore.config import Config, chosen_protocol, model_arguments, options_of, resolved
from reidcore.config.components import component_of, loss_weights
from reidcore.config.options.plan import RunPlan
from reidcore.data import DataManager
from reidcore.engine.batch_layout import ClipBatches
from reidcore.engine.engine import Engine
from reidcore.engine.loss_terms import make_terms
from reidcore.engine.precision import Precision
from reidcore.engine.rng import set_random_seed
from reidcore.models import build_model, load_pretrained_weights, unwrap
from reidcore.optim.build import make_optimizer, make_scheduler

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
    model = build_network(config, datamanager, plugins)
    engine = build_engine(config, datamanager, model, plugins)
    if config.data.type == "video":
        engine.batch_layout = ClipBatches(config.video.pooling_method)
    engine.config = resolved(config, plugins)
    start_epoch = config.train.start_epoch
    if config.model.resume:
        start_epoch = engine.resume(config.model.resume)
    return engine, build_plan(config, start_epoch, plugins)


def build_datamanager(config: Config, plugins: Plugins) -> DataManager:
    """Build the loaders; a run that only tests needs no training images."""
    return DataManager(
        config.data,
        config.sampler,
        config.video,
        batch_size_train=config.train.batch_size,
        batch_size_test=config.test.batch_size,
        seed=config.train.seed,
        use_gpu=config.use_gpu,
        test_only=config.test.evaluate,
        choose=partial(component_of, config, plugins=plugins),
    )


def build_network(config: Config, datamanager: DataManager, plugins: Plugins) -> nn.Module:
    """Build the model and load the weights that the configuration names."""
    section = config.model
    brings_weights = bool(section.load_weights or section.resume)
    model = build_model(
        section.name,
        _num_classes(config, datamanager),
        loss=_model_loss(config),
        pretrained=section.pretrained and not brings_weights,
        use_gpu=config.use_gpu,
        plugins=plugins,
        num_cameras=datamanager.num_train_cams or None,
        num_views=_num_views(datamanager),
        **model_arguments(config, plugins),
    )
    if section.load_weights and not section.resume:
        load_pretrained_weights(model, section.load_weights)
    return model


def build_engine(
    config: Config, datamanager: DataManager, model: nn.Module, plugins: Plugins
) -> Engine:
    """Build the engine that ``loss.name`` names, or the core's with weighted loss terms."""
    train, choose = config.train, partial(component_of, config, plugins=plugins)
    optimizer = make_optimizer(model, train, choose("optimizers", train.optim))
    schedule = choose("schedulers", train.lr_scheduler)
    scheduler = make_scheduler(optimizer, train, train.max_epoch, schedule)
    options: dict[str, Any] = {
        "use_gpu": config.use_gpu,
        "plugins": plugins,
        "precision": Precision(train.amp, train.channels_last, train.accumulate),
        "step": train.step,
    }
    weights = loss_weights(config, plugins)
    if not weights:
        named = choose("engines", config.loss.name)
        options |= named.options
        made: Engine = named.entry.load()(
            datamanager, model, optimizer, scheduler=scheduler, **options
        )
        return made
    engine = Engine(datamanager, **options)
    engine.register_model("model", model, optimizer, scheduler)
    losses = {name: (weight, choose("losses", name)) for name, weight in weights.items()}
    engine.terms = make_terms(
        losses,
        num_classes=_num_classes(config, datamanager),
        feature_dim=getattr(unwrap(model), "feature_dim", None),
        train_table=datamanager.train_table,
    )
    return engine


def build_plan(config: Config, start_epoch: int, plugins: Plugins) -> RunPlan:
    """Return what the run is to do."""
    protocol = chosen_protocol(config, plugins) or "market1501"
    return RunPlan.of(
        config.data,
        config.train,
        config.test,
        start_epoch=start_epoch,
        test_only=config.test.evaluate,
        protocol=protocol,
        protocol_options=options_of(config, "protocols", protocol, plugins),
    )


def _num_classes(config: Config, datamanager: DataManager) -> int:
    """Return the number of training identities; a test without any does not ask for them."""
    least = 1 if config.test.evaluate else 0
    return max(datamanager.num_train_pids, least)


def _num_views(datamanager: DataManager) -> int | None:
    """Return how many values the column ``view`` of the training images has, if they have one."""
    table = datamanager.train_table
    if table is None or "view" not in table.columns:
        return None
    return len(np.unique(table.columns["view"]))


def _model_loss(config: Config) -> str:
    """Return what a bare call of the model gives in training; the engine asks for everything."""
    return config.loss.name if config.loss.name in ("softmax", "triplet") else "softmax"
