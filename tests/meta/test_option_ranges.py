"""No option is accepted in silence: a value is refused, or the component works by it.

Each option of each bundled component of the kinds below is given values of every type and size, one
at a time. What is accepted must give finite figures, and a loss must have a slope; and of the
values of an option one at least must change something, or nothing reads it.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any, get_args

import numpy as np
import pytest
import torch
from PIL import Image

from reidcore.data import SampleTable, build_transforms
from reidcore.engine.loss_terms import input_of, takes_outputs
from reidcore.errors import UserError
from reidcore.models import Outputs
from reidcore.plugins import Plugins, make_plugins
from reidcore.registry import Component, Entry, choose, declared_options, entries

NUMBERS = (-1, 0, 0.01, 0.5, 2, 3, 1e9, math.nan)
OTHERS = ("no such word", True, False, None)
LISTS: tuple[list[float], ...] = (
    [],
    [0.5],
    [1, 2],
    [1, 2, 3],
    [2.0, 1.0],
    [0.3, 0.6],
    [-1.0, 1.0],
    [0.0, 0.0],
)
WORDS = ("log", "cifar10", "noise", "camera")  # where a type does not say which there are
VALUES = (*NUMBERS, *OTHERS, *LISTS, *WORDS)

UNREAD_HERE = {
    ("losses", "across_ranks"): "there is one process",
    ("losses", "branch_weights"): "there is one branch",
    ("losses", "branches"): "there is one branch",
    ("losses", "branch_weights_x"): "there is one branch",
    ("losses", "epsilon"): "no pair of the batch is as easy",
    ("losses", "start_epoch"): "it has begun",
    ("losses", "lr"): "of the loss's own optimizer",
    ("losses", "weight_decay"): "of the loss's own optimizer",
    ("losses", "eps"): "of triplet with weight_x; softmax is held by its own tests",
    ("losses", "form"): "of triplet with weight_x; softmax is held by its own tests",
    ("losses", "label_smooth"): "of triplet with weight_x; softmax is held by its own tests",
    ("optimizers", "fused"): "it gives the same figures",
    ("optimizers", "eps"): "below the rounding of four numbers",
    ("samplers", "centers"): "no network looks at the images",
    ("poolings", "learnable"): "it is the same figure",
}
"""Kind and option -> why it may change nothing here."""

Figures = list[float]


def _losses(made: Any) -> Figures:
    features = torch.randn(8, 16, generator=torch.Generator().manual_seed(0)).requires_grad_()
    logits = features.detach()[:, :4].clone().requires_grad_()
    outputs, pids = Outputs(logits, features), torch.arange(8) // 2
    terms = made if isinstance(made, dict) else {"": (1.0, made)}
    for _, criterion in terms.values():
        if callable(begin := getattr(criterion, "set_epoch", None)):
            begin(10**9)
    values = []
    for weight, criterion in terms.values():
        takes_all = takes_outputs(criterion)
        batch = {"pid": pids, "clothes": torch.arange(8) % 2}
        given = (outputs, batch) if takes_all else (input_of(criterion, outputs), pids)
        values.append(weight * criterion(*given))
    sum(values[1:], start=values[0]).backward()
    gradients = [each.grad for each in (features, logits) if each.grad is not None]
    assert any(gradient.any() for gradient in gradients), "a loss without a slope"
    return [value.item() for value in values] + [each.square().sum().item() for each in gradients]


def _classifiers(made: Any) -> Figures:
    features = torch.randn(8, 16, generator=torch.Generator().manual_seed(0))
    given = (features,) if isinstance(made, torch.nn.Linear) else (features, torch.arange(8) // 2)
    return made.train()(*given).flatten().tolist()  # type: ignore[no-any-return]


def _poolings(made: Any) -> Figures:
    maps = torch.rand(2, 3, 4, 2, generator=torch.Generator().manual_seed(0))
    return made(maps).flatten().tolist()  # type: ignore[no-any-return]


def _optimizers(optimizer: Any) -> Figures:
    (weight,) = optimizer.param_groups[0]["params"]
    draw = torch.Generator().manual_seed(0)
    for _ in range(8):
        weight.grad = torch.randn(4, generator=draw)
        optimizer.step()
    return weight.tolist()  # type: ignore[no-any-return]


def _schedulers(schedule: Any) -> Figures:
    group = schedule.optimizer.param_groups[0]
    seen = []
    for _ in range(10):
        seen += [float(group["lr"]), float(group["momentum"])]
        schedule.optimizer.step()
        schedule.step()
    assert min(seen) >= 0, "a rate below 0"
    return seen


def _samplers(sampler: Any) -> Figures:
    return [float(row) for epoch in (0, 1) for row in sampler.order(epoch)]


def _parameter() -> torch.nn.Parameter:
    return torch.nn.Parameter(torch.ones(4))


def _supplied(kind: str) -> dict[str, Any]:
    """Return what the core hands to the factories of a kind."""
    if kind == "losses":
        return {"num_classes": 4, "feature_dim": 16, "train_table": _table(clothes=True)}
    if kind == "classifiers":
        return {"feature_dim": 16, "num_classes": 4}
    if kind == "poolings":
        return {"channels": 3}
    if kind == "optimizers":
        return {"groups": [{"params": [_parameter()]}], "lr": 0.1, "weight_decay": 0.01}
    if kind == "schedulers":
        optimizer = torch.optim.SGD([_parameter()], lr=0.1, momentum=0.9)
        return {"optimizer": optimizer, "stepsize": [3], "gamma": 0.1, "max_epoch": 10}
    return {"table": _table(), "batch_size": 24, "seed": 1}


@cache
def _table(clothes: bool = False) -> SampleTable:
    rows = range(48)
    table = SampleTable.of([(f"{row}", row // 6, row % 3, row // 24) for row in rows])
    return replace(table, columns={"clothes": np.arange(48) % 2}) if clothes else table


def _transformed(plugins: Plugins, name: str, options: dict[str, Any]) -> Figures:
    pixels = np.random.default_rng(0).integers(0, 256, (4, 40, 30, 3), dtype=np.uint8)
    likely = {"p": 1.0} if "p" in _options(plugins, "transforms", name) else {}
    sections: dict[str, Any] = {name: likely | options}
    train, _ = build_transforms(32, 16, [name], plugins=plugins, **sections)
    seen = [train(Image.fromarray(each)).double().flatten() for each in pixels]
    return [float(each @ torch.arange(len(each), dtype=each.dtype)) for each in seen]


@cache
def _options(plugins: Plugins, kind: str, name: str) -> tuple[str, ...]:
    return tuple(declared_options(choose(kind, name, {}, plugins).entry))


WORKS: dict[str, Callable[[Any], Figures]] = {
    "losses": _losses,
    "classifiers": _classifiers,
    "poolings": _poolings,
    "optimizers": _optimizers,
    "schedulers": _schedulers,
    "samplers": _samplers,
}
BUNDLED = ("engines", "standard")  # the plugins that have these kinds
PLUGINS = make_plugins(entry_points=False, extra=[f"reid_plugins_{name}" for name in BUNDLED])


def figures(entry: Entry, options: dict[str, Any]) -> Figures:
    """Return what a component gives by some options."""
    random.seed(0)
    torch.manual_seed(0)
    if entry.kind == "transforms":
        return _transformed(PLUGINS, entry.name, options)
    component: Component = choose(entry.kind, entry.name, options, PLUGINS)
    return WORKS[entry.kind](component.make(**_supplied(entry.kind)))


def words_of(entry: Entry, option: str) -> Iterator[str]:
    """Yield the words that an option may be, where its type says them."""
    annotation = entry.options_model().model_fields[option].annotation
    yield from (word for word in get_args(annotation) if isinstance(word, str))


@pytest.fixture(autouse=True)
def models_of_options_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the models that validate options, which take longer to make than to ask."""
    made: dict[str, Any] = {}
    make = Entry.options_model

    def kept(entry: Entry) -> Any:
        if entry.name not in made:
            made[entry.name] = make(entry)
        return made[entry.name]

    monkeypatch.setattr(Entry, "options_model", kept)


@pytest.mark.parametrize(
    "entry",
    [each for kind in (*WORKS, "transforms") for each in entries(kind, PLUGINS)],
    ids=lambda entry: f"{entry.kind}-{entry.name}",
)
def test_a_value_is_refused_or_the_component_works_by_it(entry: Entry) -> None:
    usual = figures(entry, {})
    for option in declared_options(entry):
        changed = False
        for value in (*VALUES, *words_of(entry, option)):
            try:
                found = figures(entry, {option: value})
            except UserError:
                continue
            except Exception as error:
                raise AssertionError(f"{entry.label}: {option}={value!r}") from error
            assert all(map(math.isfinite, found)), f"{entry.label}: {option}={value!r}: {found}"
            changed = changed or found != usual
        assert changed or (entry.kind, option) in UNREAD_HERE, f"nothing reads {option}"
