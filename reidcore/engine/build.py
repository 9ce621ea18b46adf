"""From a configuration to an engine and its plan."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from reidcore.config import Config, chosen_protocol, options_of, resolved
from reidcore.config.components import component_of, loss_weights
from reidcore.config.options.plan import RunPlan
from reidcore.config.options.test import VALIDATION
from reidcore.data import DataManager, ImageDataManager, VideoDataManager
from reidcore.engine.batch_layout import ClipBatches, layout_of
from reidcore.engine.engine import Engine
from reidcore.engine.loss_terms import make_terms, parameters_of
from reidcore.engine.precision import Precision, run_device
from reidcore.engine.replicas import with_sync_bn
from reidcore.engine.rng import set_random_seed
from reidcore.engine.train_state import TrainState
from reidcore.errors import ConfigError
from reidcore.models.build import build_configured_model
from reidcore.models.layers import unwrap
from reidcore.optim.build import make_optimizer, make_scheduler
from reidcore.registry.lookup import is_registered

if TYPE_CHECKING:
    from reidcore.plugins import Plugins


def prepare(config: Config, plugins: Plugins) -> tuple[Engine, RunPlan]:
    """Build what a configuration, checked against these plugins, describes.

    Returns:
        The engine and the plan to execute; a resumed one starts where its checkpoint ended.

    Raises:
        UserError: a dataset, a weight file or an option is not as it should be.
    """
    from reidcore.plugins.bundled import with_speed

    given, device = config, run_device(config.use_gpu)
    config, speed = with_speed(given, device, plugins)
    set_random_seed(config.train.seed)
    datamanager = build_datamanager(config, plugins)
    num_classes = max(datamanager.num_train_pids, int(config.test.evaluate))  # a test needs none
    counts = num_classes, datamanager.num_train_cams or None, datamanager.num_train_views
    model = build_configured_model(config, *counts, plugins)
    if config.train.sync_bn and not config.test.evaluate:
        model = with_sync_bn(model, device)
    engine = build_engine(config, datamanager, model, num_classes, plugins)
    if config.data.type == "video" and engine.batch_layout is layout_of("video"):
        engine.batch_layout = ClipBatches(config.video.pooling_method)
    engine.config, engine.speed = resolved(given, plugins), speed
    start = engine.resume(config.model.resume) if config.model.resume else config.train.start_epoch
    protocol = chosen_protocol(config, plugins) or "market1501"
    plan = RunPlan.of(
        *(config.data, config.train, config.test),
        start_epoch=start,
        test_only=config.test.evaluate,
        protocol=protocol,
        protocol_options=options_of(config, "protocols", protocol, plugins),
    )
    return engine, plan


def build_datamanager(config: Config, plugins: Plugins) -> DataManager:
    """Build the loaders; a run that only tests needs no training images."""
    holds_out = config.test.select_on == VALIDATION
    kind = VideoDataManager if config.data.type == "video" else ImageDataManager
    return kind.from_options(
        config.data,
        config.sampler,
        config.video,
        batch_size_train=config.train.batch_size,
        batch_size_test=config.test.batch_size,
        seed=config.train.seed,
        use_gpu=config.use_gpu,
        test_only=config.test.evaluate,
        validation_share=config.test.validation_share if holds_out else 0.0,
        drop_last=config.train.drop_last,
        choose=partial(component_of, config, plugins=plugins),
    )


def build_engine(
    config: Config, datamanager: DataManager, model: nn.Module, num_classes: int, plugins: Plugins
) -> Engine:
    """Build the engine that ``loss.name`` names, or the core's with weighted loss terms.

    Raises:
        ConfigError: if there are loss terms beside an engine that has no use for them.
    """
    train, choose = config.train, partial(component_of, config, plugins=plugins)
    weights = loss_weights(config, plugins)
    terms = make_terms(
        {name: (weight, choose("losses", name)) for name, weight in weights.items()},
        num_classes=num_classes,
        feature_dim=getattr(unwrap(model), "feature_dim", None),
        train_table=datamanager.train_table,
        use_gpu=config.use_gpu,
    )
    learnt = parameters_of(terms)
    optimizer, scheduler = _optimized(config, datamanager, model, learnt, plugins)
    options: dict[str, Any] = {
        "use_gpu": config.use_gpu,
        "plugins": plugins,
        "precision": Precision(train.amp, train.channels_last, train.accumulate),
        "step": train.step,
    }
    if not is_registered("losses", config.loss.name, plugins):
        named = choose("engines", config.loss.name)
        options |= {"optimizer": optimizer, "scheduler": scheduler}
        build = partial(build_state, config, datamanager, num_classes, plugins)
        further = {"terms": terms, "build_state": build}
        wanted = {name: further[name] for name in further if name in named.entry.parameters()}
        if weights and "terms" not in wanted:
            raise ConfigError(
                f"loss.terms beside loss.name={config.loss.name}, whose losses are its own",
                "Leave out one of them.",
            )
        engine = named.make(datamanager=datamanager, model=model, **options, **wanted)
        if not isinstance(engine, Engine):
            raise named.entry.defect(engine, "a reidcore.engine.Engine")
        return engine
    engine = Engine(datamanager, **options)
    engine.register_model("model", model, optimizer, scheduler)
    engine.terms = terms
    return engine


def build_state(
    config: Config, datamanager: DataManager, num_classes: int, plugins: Plugins, name: str = ""
) -> TrainState:
    """Build a further model beside the configured one, trained by the same options.

    Args:
        config: the configuration.
        datamanager: the training data.
        num_classes: number of training identities.
        plugins: where names are looked up.
        name: the model's name; by default the configured one's, with other random weights.
    """
    section = config.model.model_copy(
        update={"name": name or config.model.name, "load_weights": ""}
    )
    further = config.model_copy(update={"model": section})
    counts = num_classes, datamanager.num_train_cams or None, datamanager.num_train_views
    model = build_configured_model(further, *counts, plugins)
    return TrainState(model, *_optimized(config, datamanager, model, (), plugins))


def _optimized(
    config: Config,
    datamanager: DataManager,
    model: nn.Module,
    learnt_by_losses: Sequence[nn.Parameter],
    plugins: Plugins,
) -> tuple[Optimizer, LRScheduler]:
    train, choose = config.train, partial(component_of, config, plugins=plugins)
    component = choose("optimizers", train.optim)
    optimizer = make_optimizer(model, train, component, plugins, learnt_by_losses)
    scheduler = choose("schedulers", train.lr_scheduler)
    steps = _steps_per_epoch(config, datamanager)
    return optimizer, make_scheduler(optimizer, train, scheduler, steps)


def _steps_per_epoch(config: Config, datamanager: DataManager) -> int:
    """Return the optimizer steps of an epoch, where the schedule asks for them."""
    if config.test.evaluate or not config.train.counts_steps:
        return 1
    return Precision(accumulate=config.train.accumulate).steps_in(len(datamanager.train_loader))
