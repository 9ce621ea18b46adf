"""Lists of steps: their order, their options, what is refused, and steps of other plugins."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field
from reid_plugins_standard.test_time import Pipeline, apply_steps
from torch import Tensor
from torch.nn import functional as F

from reidcore import hookimpl
from reidcore.errors import ConfigError, PluginDefectError, UserError
from reidcore.evaluation import FeatureDistances, RerankedDistances
from reidcore.plugins import make_plugins
from tests.plugins.reid_plugins_standard.test_time.conftest import labels_for


def rows(distances) -> np.ndarray:
    return np.concatenate([block for _, block in distances.blocks()])


class Shift:
    """A step of somebody else's."""

    def __init__(self, by: Annotated[float, Field(gt=0)] = 1.0) -> None:
        self.by = by

    def transform(self, query, gallery, setting):
        return query + self.by, gallery + self.by


class Idle:
    """A step without any of the methods."""


class Author:
    """A plugin with steps."""

    @hookimpl(optionalhook=True)
    def reid_register_test_time(self, registry) -> None:
        registry.add("shift", Shift, summary="away from the origin")
        registry.add("idle", Idle)


class Rival:
    """A plugin with a step of a name that is taken."""

    @hookimpl(optionalhook=True)
    def reid_register_test_time(self, registry) -> None:
        registry.add("shift", Shift)


class Broken:
    """A plugin whose registration fails."""

    @hookimpl(optionalhook=True)
    def reid_register_test_time(self, registry) -> None:
        raise OSError("no such shop")


def test_steps_on_features_are_taken_in_the_order_given(sides, labels) -> None:
    train = torch.randn(50, 5, generator=torch.Generator().manual_seed(1))
    one = apply_steps(*sides, labels, ["normalize", "whiten"], train=train)
    other = apply_steps(*sides, labels, ["whiten", "normalize"], train=train)
    assert not torch.allclose(F.normalize(one.query, dim=1), other.query, atol=1e-3)
    # What a step learns from has been through those before it.
    again = apply_steps(*(F.normalize(side, dim=1) for side in sides), labels, ["whiten"],
                        train=F.normalize(train, dim=1))  # fmt: skip
    torch.testing.assert_close(one.query, again.query)
    torch.testing.assert_close(one.gallery, again.gallery)


@pytest.mark.parametrize(
    "step",
    [
        "normalize",
        "whiten",
        "camera_mean",
        "aqe",
        "alpha_qe",
        "dba",
        {"rerank": {"k1": 5, "k2": 3}},
    ],
    ids=str,
)
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_gallerys_order_moves_its_rows_and_nothing_else(step, seed) -> None:
    draw = torch.Generator().manual_seed(seed)
    query, gallery = (torch.randn(count, 5, generator=draw) for count in (6, 20))
    train = torch.randn(40, 5, generator=draw)
    order = torch.randperm(20, generator=draw)
    labels = labels_for(6, 20)
    straight = apply_steps(query, gallery, labels, [step], train=train)
    moved = apply_steps(
        query, gallery[order], labels.take(None, order.numpy()), [step], train=train
    )
    torch.testing.assert_close(moved.query, straight.query, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(moved.gallery, straight.gallery[order], atol=1e-4, rtol=1e-4)
    np.testing.assert_allclose(
        rows(moved.distances), rows(straight.distances)[:, order.numpy()], atol=1e-3
    )


def test_the_last_step_gives_the_distances(sides, labels) -> None:
    found = apply_steps(*sides, labels, ["normalize", {"rerank": {"k1": 3, "lambda": 0.5}}])
    query, gallery = (F.normalize(side, dim=1) for side in sides)
    expected = RerankedDistances.of_features(query, gallery, k1=3, lambda_value=0.5)
    np.testing.assert_array_equal(rows(found.distances), rows(expected))
    plain = apply_steps(*sides, labels, [], "cosine")
    np.testing.assert_array_equal(rows(plain.distances), rows(FeatureDistances(*sides, "cosine")))
    assert plain.conditions == []


def test_conditions_name_all_options_as_settings_spell_them() -> None:
    steps = Pipeline(["flip", {"multi_scale": {"scales": [1, 1.5]}}, {"rerank": None}])
    assert steps.conditions == [
        {"flip": {"combine": "sum"}},
        {"multi_scale": {"scales": [1, 1.5], "combine": "sum"}},
        {"rerank": {"k1": 20, "k2": 6, "lambda": 0.3}},
    ]
    assert (steps.on_images, steps.beyond_images) == (["flip", "multi_scale"], ["rerank"])


def test_views_are_combined_from_the_model_outwards() -> None:
    """Before flip each view is normalised; behind it their sum is, once it is a whole test's."""

    def model(images: Tensor) -> Tensor:
        return images[..., 0].sum(dim=2)  # the left column, (B, 3)

    images = torch.rand(2, 3, 4, 2, generator=torch.Generator().manual_seed(0))
    left, right = images[..., 0].sum(dim=2), images[..., 1].sum(dim=2)
    torch.testing.assert_close(Pipeline(["flip", "normalize"]).extract(model, images), left + right)
    each = Pipeline(["normalize", {"flip": {"combine": "mean"}}]).extract(model, images)
    torch.testing.assert_close(each, (F.normalize(left, dim=1) + F.normalize(right, dim=1)) / 2)
    sizes = []
    Pipeline(["flip", {"multi_scale": {"scales": [1, 2]}}]).extract(
        lambda views: sizes.append(views.size(2)) or model(views), images
    )
    assert sizes == [4, 4, 8, 8]


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        (
            ["flipp"],
            r"no test-time step is named 'flipp'\. Did you mean 'flip'\? There are alpha_qe",
        ),
        ([{"aqe": {"kk": 2}}], r"'aqe' of plugin 'standard' has no option 'kk'\. Did you mean 'k'"),
        ([{"rerank": {"lamda": 0.1}}], "Did you mean 'lambda'"),
        ([{"aqe": {"k": 0}}], "cannot take k: expected at least 1, not 0"),
        ([{"flip": {"combine": "max"}}], "cannot take combine: expected 'sum' or 'mean'"),
        ([{"multi_scale": {"scales": []}}], "cannot take scales: expected at least 1 item"),
        ([{"whiten": {"shrinkage": 1.0}}], "cannot take shrinkage: expected less than 1"),
        ([{"multi_scale": {"scales": [1e9]}}], r"cannot take scales\[0\]: expected at most 10"),
        (["flip", "flip"], "the test-time step 'flip' stands twice in a row"),
        (["aqe", "flip"], "'aqe', on the features of a whole test, stands before 'flip'"),
        (["rerank", "aqe"], "'aqe' stands behind 'rerank'.*Let 'rerank' be the last"),
        (["rerank", "rerank"], "'rerank' stands behind 'rerank'"),
        ([{"a": {}, "b": {}}], "is no test-time step. Give a name, or one name with its options"),
        ([{"aqe": 3}], "is no test-time step"),
        ([7], "7 is no test-time step"),
    ],
)
def test_what_makes_no_sense_is_refused(steps, message) -> None:
    with pytest.raises(UserError, match=message):
        Pipeline(steps)


def test_steps_on_images_need_images(sides, labels) -> None:
    with pytest.raises(UserError, match="'flip' works on images, and there are features"):
        apply_steps(*sides, labels, ["normalize", "flip", "aqe"])


def test_features_that_do_not_fit_are_refused(sides, labels) -> None:
    query, gallery = sides
    with pytest.raises(UserError, match="5 dimensions, gallery features 4"):
        apply_steps(query, gallery[:, :4], labels, ["aqe"])
    gallery[3, 1] = torch.nan
    with pytest.raises(UserError, match="gallery features are NaN"):
        apply_steps(query, gallery, labels, ["aqe"])


def test_whitening_learns_from_nothing_that_only_a_test_has(sides, labels) -> None:
    with pytest.raises(ConfigError, match="'aqe' before it is for queries and gallery alone"):
        apply_steps(*sides, labels, ["aqe", "whiten"], train=sides[1])
    with pytest.raises(ConfigError, match="Let 'whiten' stand before 'aqe'"):
        Pipeline(["normalize", "aqe", "whiten"])  # before anything is tested


def test_reid_register_test_time(sides, labels, caplog) -> None:
    """Other plugins bring steps, whose options are read as those of every component."""
    plugins = make_plugins(extra=[Author()])
    found = apply_steps(*sides, labels, [{"shift": {"by": 2}}], plugins=plugins)
    torch.testing.assert_close(found.query, sides[0] + 2)
    assert found.conditions == [{"shift": {"by": 2}}]
    with pytest.raises(
        ConfigError, match=r"'shift' of plugin 'Author' cannot take by: .* more than"
    ):
        Pipeline([{"shift": {"by": 0.0}}], plugins)
    with pytest.raises(
        PluginDefectError, match=r"'idle' .*gave an Idle; .* extract or transform or"
    ):
        Pipeline(["idle"], plugins)
    both = make_plugins(extra=[Author(), Rival()])
    with pytest.raises(UserError, match="Write 'Author/shift' or 'Rival/shift'"):
        Pipeline(["shift"], both)
    assert Pipeline(["Rival/shift"], both).beyond_images == ["shift"]
    with pytest.raises(UserError, match=r"'Broken'.* is broken.*no such shop"):  # it was asked for
        Pipeline(["flip"], make_plugins(extra=[Broken()]))
