"""Tricks of training, each a plugin that a run brings where its settings ask, alarms, and speed.

A trick is a class in a file of its own. ``settings.training.<trick>`` brings it to a run; a script
hands it to the engine: ``plugins=make_plugins(extra=[GradientClipping(norm=5)])``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from reid_plugins_training.per_run import PerRun
from reidcore import hookimpl
from reidcore.plugins import current_plugins

if TYPE_CHECKING:
    from reid_plugins_training.alarms import Watch
    from reid_plugins_training.busy_machine import EpochClock
    from reid_plugins_training.settings import TrainingSettings
    from reidcore.config import Config, TrainOptions
    from reidcore.engine import Engine, StepOutcome
    from reidcore.registry import ConfigRegistrar, Registrar

_TRICKS = {
    "ema": "averaging:MovingAverage",
    "clip": "clipping:GradientClipping",
    "freeze": "freezing:LayerFreezing",
    "mixstyle": "mixstyle:MixStyle",
    "early_stop": "early_stopping:EarlyStopping",
    "distill": "distillation:Distillation",
}
"""Section of the settings -> the class that takes its keys, in a module of this package."""


class Training:
    """The plugin: it brings the tricks to a run, and each engine's run has alarms of its own."""

    def __init__(self) -> None:
        self._clocks: PerRun[EpochClock] = PerRun()
        self._watches: PerRun[Watch] = PerRun()

    @hookimpl
    def reid_register_engines(self, registry: Registrar) -> None:
        """Register mutual learning."""
        registry.add(
            "dml",
            "reid_plugins_training.mutual:dml",
            summary="deep mutual learning: two networks or more that are taught together",
            options={"loss.softmax.label_smooth": "label_smooth"},
        )

    @hookimpl
    def reid_register_configs(self, registry: ConfigRegistrar) -> None:
        """Have ``settings.training`` checked."""
        registry.settings("reid_plugins_training.settings:TrainingSettings")

    @hookimpl
    def reid_configure(self, config: Config) -> None:
        """Bring what a run asks for; a test needs no tricks."""
        settings = None if config.test.evaluate else config.settings.get("training")
        parts = tricks_of(settings) if settings else {}
        parts |= accelerations_of(config.train, is_trained=not config.test.evaluate)
        current_plugins().bring(self, parts)

    @hookimpl
    def reid_run_start(self, engine: Engine) -> None:
        """Begin to watch a training; on a GPU no epoch waits for threads of torch."""
        from reid_plugins_training.alarms import watch_of
        from reid_plugins_training.busy_machine import EpochClock
        from reid_plugins_training.kept_memory import keep_memory, keeps_memory

        if keeps_memory(engine):
            keep_memory()
        if engine.is_main_process and not engine.plan.test_only:
            self._watches.start(engine, watch_of(engine))
        if engine.device.type == "cpu" and engine.is_main_process:
            self._clocks.start(engine, EpochClock())

    @hookimpl
    def reid_epoch_start(self, engine: Engine) -> None:
        """Start the epoch's clock."""
        if clock := self._clocks.get(engine):
            clock.start()

    @hookimpl
    def reid_before_optimizer_step(self, engine: Engine) -> None:
        """Let alarms look at which gradients there are."""
        if watch := self._watches.get(engine):
            watch.before_optimizer_step(engine)

    @hookimpl
    def reid_step_end(self, engine: Engine, outcome: StepOutcome) -> None:
        """Let alarms look at a step whose figures are shown."""
        if watch := self._watches.get(engine):
            watch.step_done(engine, outcome)

    @hookimpl
    def reid_epoch_end(self, engine: Engine) -> None:
        """Compare the epoch with the fastest so far, and let alarms look at it."""
        if clock := self._clocks.get(engine):
            clock.stop(engine.epoch + 1)
        if watch := self._watches.get(engine):
            watch.epoch_done(engine)

    @hookimpl
    def reid_checkpoint_save(self, engine: Engine) -> dict[str, str]:
        """Keep which identities the classes are, for networks that will learn from this one."""
        from reid_plugins_training.classes import class_list

        return {"classes": class_list(engine)}

    @hookimpl
    def reid_run_end(self, engine: Engine) -> None:
        """Forget the run."""
        self._clocks.end(engine)
        self._watches.end(engine)


def tricks_of(settings: TrainingSettings) -> dict[str, object]:
    """Return the tricks that settings ask for, by the names of their sections."""
    tricks: dict[str, object] = {}
    for name, target in _TRICKS.items():
        if (section := getattr(settings, name)) is not None:
            module, _, trick = target.partition(":")
            made = getattr(import_module(f"{__name__}.{module}"), trick)
            tricks[name] = made(**section.model_dump())
    if settings.alarms.non_finite == "skip":
        from reid_plugins_training.skipping import SkipNonFinite

        tricks["skip"] = SkipNonFinite(settings.alarms.most_skipped)
    return tricks


def accelerations_of(options: TrainOptions, is_trained: bool = True) -> dict[str, object]:
    """Return what makes a run fast as its options ask for it, by their names."""
    parts: dict[str, object] = {}
    if options.speed == "fast":
        from reid_plugins_training.fast_cuda import FastCuda

        parts["speed"] = FastCuda()
    if options.compile != "off" and is_trained:
        from reid_plugins_training.compilation import Compilation

        parts["compile"] = Compilation(options.compile)
    return parts


PLUGIN = Training()
