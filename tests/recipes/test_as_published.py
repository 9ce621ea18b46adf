"""Every recipe against what it was published with: see expected.py."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from reidcore.registry import entries
from tests.recipes.building import Built, build
from tests.recipes.expected import Expected, Group, step
from tests.recipes.table import rows

SIDES = ("metric_features", "test_features")
"""What a head, or a network with a neck of its own, is asked for by name."""

OURS = {"quickstart", "attributes_quickstart"}
"""Recipes that nobody published, besides those of domain generalisation, which are protocols."""


@pytest.fixture(scope="module")
def osnet() -> Built:
    return build("osnet_x1_0_market1501")


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.recipe)
def test_a_recipe_is_as_published(row: Expected) -> None:
    built = build(row.recipe, row.overrides)
    assert dict(differences(row, built)) == {}


@pytest.mark.parametrize(
    ("mistake", "told"),
    [
        ({"groups": [Group("", 0.0016, 5e-4)]}, "rate and decay of conv1.conv.weight"),
        ({"groups": [Group("", 0.0015, 5e-4), Group("^fc.*bias$", 0.003, 5e-4)]}, "fc.0.bias"),
        ({"groups": [Group("", 0.0015, 5e-4), Group("gem", 0.0015, 5e-4)]}, "named like ['gem']"),
        ({"frozen": ["^fc"]}, "rate and decay of fc.0.weight"),
        ({"curve": step(59)}, "rate at Moment(epoch=59"),
        ({"maps": (16, 4)}, "maps"),
        ({"losses": {"softmax": 1.0, "triplet": 1.0}}, "losses"),
        ({"losses": {"softmax": 0.5}}, "weight.softmax"),
        ({"loss_options": {"softmax": {"eps": 0.2}}}, "loss.softmax.eps"),
        ({"loss_options": {"triplet": {"margin": 0.4}}}, "loss.triplet.margin"),
        ({"test_features": "before_neck"}, "test_features"),
        ({"batch": 128}, "train.batch_size"),
        ({"transforms": {"random_flip": {"p": 0.4}}}, "random_flip.p"),
        ({"settings": {"train.fixbase_epoch": 5}}, "train.fixbase_epoch"),
        ({"optimizer_options": {"betas": (0.9, 0.99)}}, "optimizer.betas"),
    ],
)
def test_a_mistake_is_told(osnet: Built, mistake: dict[str, Any], told: str) -> None:
    row = next(row for row in rows() if row.recipe == "osnet_x1_0_market1501")
    found = " ".join(dict(differences(replace(row, **mistake), osnet)))
    assert told in found


def test_every_recipe_is_in_the_table() -> None:
    registered = {entry.name for entry in entries("configs")}
    in_table = [row.recipe for row in rows()]
    assert len(in_table) == len(set(in_table))
    ours = OURS | {name for name in registered if name.startswith("dg_")}
    assert set(in_table) == registered - ours


def differences(row: Expected, built: Built) -> Iterator[tuple[str, Any]]:
    """Yield what differs: its name, with what was published and what was built."""
    wanted = dict(_wanted(row))
    found = dict(_found(row, built))
    for name in wanted:
        if not _same(found.get(name), wanted[name]):
            yield name, {"published": wanted[name], "built": found.get(name)}
    yield from _different_rates(row, built)
    yield from _different_sizes(row, built)
    yield from _different_curve(row, built)


def _wanted(row: Expected) -> Iterator[tuple[str, Any]]:
    yield "model.name", row.model
    yield "image", row.image
    yield "norm_mean", list(row.normalisation[0])
    yield "norm_std", list(row.normalisation[1])
    yield "optimizer", row.optimizer
    yield from _keyed("optimizer", row.optimizer_options)
    yield "train.max_epoch", row.epochs
    yield "model.head", dict(row.head)
    yield "metric_features", row.metric_features
    yield "test_features", row.test_features
    yield from _keyed("model", row.model_options)
    yield "losses", sorted(row.losses)
    yield from _keyed("weight", row.losses)
    for loss, options in row.loss_options.items():
        yield from _keyed(f"loss.{loss}", options)
    yield "sampler.train_sampler", row.sampler or "RandomSampler"
    yield "train.batch_size", row.batch
    if row.instances is not None:
        yield "sampler.num_instances", row.instances
    yield "data.transforms", sorted(row.transforms)
    for transform, options in row.transforms.items():
        yield from _keyed(transform, options)
    yield "test.dist_metric", row.metric
    yield "test.normalize_feature", row.normalized
    yield "amp", row.amp
    yield from row.settings.items()


def _found(row: Expected, built: Built) -> Iterator[tuple[str, Any]]:
    config, engine = built.config, built.engine
    optimizer, terms = built.optimizer, engine.terms
    yield from _flat(built.values)
    yield from _criterion_options(row, built)
    yield "image", (config.data.height, config.data.width)
    yield "norm_mean", config.data.norm_mean
    yield "norm_std", config.data.norm_std
    yield "optimizer", type(optimizer).__name__
    yield from _keyed("optimizer", optimizer.defaults)
    head, model = config.model.head, built.values["model"]
    yield "model.head", {key: head.chosen()[key] for key in head.chosen() if key not in SIDES}
    for side in SIDES:
        yield side, model.get(side, model["head"][side] if head.neck else None)
    yield "losses", sorted(terms)
    yield from _keyed("weight", {name: weight for name, (weight, _) in terms.items()})
    yield "data.transforms", sorted(config.data.transforms)
    yield "amp", config.train.amp != "off"
    yield from ((name, _at(built.values, name)) for name in row.settings)


def _criterion_options(row: Expected, built: Built) -> Iterator[tuple[str, Any]]:
    """Yield the options of losses that their criteria hold: a default is a number there."""
    for loss in row.loss_options.keys() & built.engine.terms.keys():
        _, criterion = built.engine.terms[loss]
        criterion = getattr(criterion, "criterion", criterion)  # below the weights of branches
        for option in row.loss_options[loss]:
            if hasattr(criterion, option):
                yield f"loss.{loss}.{option}", getattr(criterion, option)


def _different_rates(row: Expected, built: Built) -> Iterator[tuple[str, Any]]:
    """Compare the rate and the weight decay of each parameter; tell the first one of a kind."""
    groups, told, idle = built.groups(), set(), {group.pattern for group in row.groups}
    for name, parameter in built.engine.model.named_parameters():
        group = None if row.is_frozen(name) else row.group_of(name)
        idle -= {group.pattern} if group else set()
        wanted = None if group is None else (group.lr, group.weight_decay)
        has = groups.get(name) if parameter.requires_grad else None
        found = None if has is None else (has["initial_lr"], has["weight_decay"])
        if not _same(found, wanted) and (wanted, found) not in told:
            told.add((wanted, found))
            yield f"rate and decay of {name}", {"published": wanted, "built": found}
    if idle:
        yield f"parameters named like {sorted(idle)}", {"published": "some", "built": "none"}


def _different_sizes(row: Expected, built: Built) -> Iterator[tuple[str, Any]]:
    maps, features = built.feature_sizes(*row.image)
    if row.maps is not None and maps[2:] != row.maps:
        yield "maps", {"published": row.maps, "built": maps[2:]}
    if features != (2, row.features):
        yield "features", {"published": row.features, "built": features}


def _different_curve(row: Expected, built: Built) -> Iterator[tuple[str, Any]]:
    """Compare the rates of all groups in every epoch; tell the first moment they are apart."""
    steps = len(built.datamanager.train_loader)
    for moment, rates in built.rates_over(row.epochs, steps):
        for base, found in rates:
            wanted = row.curve(base, moment)
            if not math.isclose(found, wanted, rel_tol=0.01, abs_tol=1e-12):
                yield f"rate at {moment}", {"published": wanted, "built": found}
                return


def _same(found: Any, wanted: Any) -> bool:
    """Compare values of a configuration; a tuple is as good as a list."""
    if isinstance(found, list | tuple) and isinstance(wanted, list | tuple):
        return len(found) == len(wanted) and all(map(_same, found, wanted))
    if isinstance(found, float) and isinstance(wanted, float):
        return math.isclose(found, wanted, rel_tol=1e-9)
    return bool(found == wanted)


def _keyed(prefix: str, values: Any) -> Iterator[tuple[str, Any]]:
    yield from ((f"{prefix}.{key}", value) for key, value in values.items())


def _flat(values: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield a nested mapping's leaves under their dotted names."""
    for key, value in values.items():
        yield f"{prefix}{key}", value
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")


def _at(values: Any, dotted: str) -> Any:
    return dict(_flat(values))[dotted]
