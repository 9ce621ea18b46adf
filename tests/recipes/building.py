"""Recipes built as a run builds them, without data, weights or memory.

The dataset is a table of names, about as large as Market-1501, and every tensor is on torch's
device ``meta``, which has shapes alone: a network of 100 million parameters costs nothing, and so
does a forward of it.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.optim import Optimizer

from reidcore import hookimpl
from reidcore.config import Config, load_config, resolved
from reidcore.data import DataManager, SampleTable
from reidcore.engine import Engine
from reidcore.engine.build import build_datamanager, build_engine
from reidcore.engine.precision import Accelerator
from reidcore.models.build import build_configured_model
from reidcore.plugins import Plugins, make_plugins
from tests.recipes.expected import Moment

PIDS, EACH, CAMERAS, VIEWS = 752, 17, 6, 8

Rates = tuple[float, float]
"""A group's rate to begin with, and now."""


@dataclass(frozen=True)
class Built:
    """A recipe, built.

    Attributes:
        config: as its file says.
        values: the configuration with all defaults.
        engine: with the model, the optimizer, the schedule and the losses.
        datamanager: with samplers and transforms.
    """

    config: Config
    values: dict[str, Any]
    engine: Engine
    datamanager: DataManager

    @property
    def optimizer(self) -> Optimizer:
        """The network's optimizer."""
        assert self.engine.optimizer is not None
        return self.engine.optimizer

    def groups(self) -> dict[str, dict[str, Any]]:
        """Return the group of the optimizer that each parameter is in."""
        names = {id(param): name for name, param in self.engine.model.named_parameters()}
        return {
            names[id(param)]: group
            for group in self.optimizer.param_groups
            for param in group["params"]
            if id(param) in names
        }

    def rates_over(self, epochs: int, steps: int) -> Iterator[tuple[Moment, list[Rates]]]:
        """Yield the rates of all groups in every epoch, at its start or in its middle by turns.

        The schedule is moved as the engine moves it, and put back in the end.
        """
        scheduler: Any = self.engine.scheduler
        self.optimizer._opt_called = True  # type: ignore[attr-defined]  # or torch warns
        groups = self.optimizer.param_groups
        state, begun = copy.deepcopy(scheduler.state_dict()), [group["lr"] for group in groups]
        try:
            for epoch in range(epochs):
                step = steps // 2 if epoch % 2 else 0
                if hasattr(scheduler, "step_update"):
                    scheduler.step_update(step)
                yield Moment(epoch, step, steps), [(g["initial_lr"], g["lr"]) for g in groups]
                scheduler.step()
        finally:
            scheduler.load_state_dict(state)
            for group, rate in zip(groups, begun, strict=True):
                group["lr"] = rate

    def feature_sizes(self, height: int, width: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the shapes of the last maps and of the features of two images."""
        model = self.engine.model.eval()
        wanted = getattr(model, "inputs", ())
        columns: dict[str, Tensor] = {
            name: torch.zeros(2, dtype=torch.long, device="meta") for name in wanted
        }
        images = torch.empty(2, 3, height, width, device="meta")
        with torch.no_grad():
            maps = model(images, return_featuremaps=True, **columns)
            features = model(images, **columns)
        return tuple(maps.shape), tuple(features.shape)


def build(recipe: str, overrides: Sequence[str] = ()) -> Built:
    """Build a recipe by its name."""
    plugins = make_plugins(extra=[_Names()])
    with plugins:
        config = load_config(recipe, plugins=plugins)
        without = [
            "model.pretrained=false",
            "model.load_weights=",
            "data.sources=[names]",
            "data.targets=[names]",
            "data.check_images=none",
            "data.workers=0",
            "use_gpu=false",
            "train.amp=off",  # fp16 is for CUDA
            *overrides,
        ]
        runnable = load_config(recipe, without, plugins=plugins)
        return _built(config, runnable, plugins)


def _built(config: Config, runnable: Config, plugins: Plugins) -> Built:
    datamanager = build_datamanager(runnable, plugins)
    pids = datamanager.num_train_pids
    counts = pids, datamanager.num_train_cams, datamanager.num_train_views
    with torch.device("meta"), pytest.MonkeyPatch.context() as patch:
        patch.setattr(Accelerator, "place", lambda self, model, *optimizers: model)
        for drawing in ("normal_", "uniform_", "erfinv_"):  # of values that there are not
            patch.setattr(Tensor, drawing, lambda self, *_, **__: self)
        model = build_configured_model(runnable, *counts, plugins)
        engine = build_engine(runnable, datamanager, model, pids, plugins)
    return Built(config, resolved(config, plugins), engine, datamanager)


class _Names:
    """A plugin with a dataset of names of images that do not exist."""

    @hookimpl
    def reid_register_datasets(self, registry: Any) -> None:
        registry.add("names", _names)


def _names(root: str) -> tuple[SampleTable, SampleTable, SampleTable]:
    return _table("train", PIDS), _table("query", 2), _table("gallery", 2)


def _table(split: str, pids: int) -> SampleTable:
    rows = np.arange(pids * EACH)
    columns = {"clothes": rows // 5, "view": rows % VIEWS}
    samples = [(f"{split}/{row}.jpg", row // EACH, row % CAMERAS) for row in rows.tolist()]
    return SampleTable.of(samples, columns=columns)
