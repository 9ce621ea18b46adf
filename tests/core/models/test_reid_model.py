"""The output contract that every model inherits."""

from __future__ import annotations

import copy
import re

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from reidcore.errors import DataError, UnknownNameError, UserError
from reidcore.models import (
    Outputs,
    ReidModel,
    attach_head,
    features_of,
    outputs_of,
    wanted_columns,
)
from reidcore.models.reid_model import check_finite, usual_size
from reidcore.plugins import current_plugins

IMAGES = torch.randn(4, 3, 16, 8, generator=torch.Generator().manual_seed(0))
PIDS = torch.tensor([0, 1, 2, 0])


class Plain(ReidModel):
    def __init__(self, loss="softmax"):
        super().__init__(loss)
        self.conv = nn.Conv2d(3, 6, 3, stride=2, padding=1)
        self.classifier = nn.Linear(6, 5)

    def featuremaps(self, images):
        return self.conv(images)

    def embed(self, maps):
        return maps.mean((2, 3))


class Parts(Plain):
    """Logits of three stripes; compared by the normalised stripes in a row."""

    def __init__(self, loss="softmax"):
        super().__init__(loss)
        self.classifier = nn.ModuleList(nn.Linear(6, 5) for _ in range(3))

    def embed(self, maps):
        return F.adaptive_avg_pool2d(maps, (3, 1)).squeeze(3)

    def heads(self, embedding, pids):
        logits = [head(embedding[:, :, part]) for part, head in enumerate(self.classifier)]
        return Outputs(logits, self.retrieval(embedding))

    def retrieval(self, embedding):
        return F.normalize(embedding, dim=1).flatten(1)


class Branches(ReidModel):
    """Two branches that are trained apart and compared together, without common maps."""

    def __init__(self, loss="softmax"):
        super().__init__(loss)
        self.classifier = nn.Linear(3, 5)

    def describe(self, images):
        return images.mean((2, 3)), images.amax((2, 3))

    def heads(self, embedding, pids):
        return Outputs(tuple(map(self.classifier, embedding)), embedding)

    def retrieval(self, embedding):
        return torch.cat([F.normalize(branch) for branch in embedding], 1)


class Margin(Plain):
    """Takes a margin off the logit of the true class."""

    def heads(self, embedding, pids):
        logits = self.classifier(embedding)
        return Outputs(logits - F.one_hot(pids, 5) if pids is not None else logits, embedding)


def test_evaluation_gives_features():
    assert Plain().eval()(IMAGES).shape == (4, 6)
    assert Parts().eval()(IMAGES).shape == (4, 18)
    assert Branches().eval()(IMAGES).shape == (4, 6)


@pytest.mark.parametrize(("model", "heads"), [(Parts, 3), (Branches, 2)])
def test_training_gives_a_list_of_logits_where_there_are_several(model, heads):
    logits = model("softmax")(IMAGES)
    assert [tuple(part.shape) for part in logits] == [(4, 5)] * heads
    logits, features = model("triplet")(IMAGES)
    assert len(logits) == heads
    assert isinstance(features, tuple) == (model is Branches)


@pytest.mark.parametrize("model", [Plain, Parts, Branches])
@pytest.mark.parametrize("loss", ["softmax", "triplet"])
@pytest.mark.parametrize("training", [True, False])
def test_all_outputs_are_the_same_whatever_the_loss_and_mode(model, loss, training):
    torch.manual_seed(0)
    network = model(loss).train(training)
    outputs = outputs_of(network, IMAGES)
    torch.manual_seed(0)
    other = outputs_of(model("triplet").train(), IMAGES)
    torch.testing.assert_close(tuple(outputs), tuple(other))


def test_labels_reach_a_classifier_that_wants_them():
    model = Margin()
    margin = outputs_of(model, IMAGES).logits - outputs_of(model, IMAGES, PIDS).logits
    torch.testing.assert_close(margin, F.one_hot(PIDS, 5).float(), atol=1e-5, rtol=0)


def test_labels_and_outputs_pass_through_data_parallel():
    model = Margin()
    wrapped = outputs_of(nn.DataParallel(model), IMAGES, PIDS)
    torch.testing.assert_close(tuple(wrapped), tuple(outputs_of(model, IMAGES, PIDS)))


class CameraAware(Plain):
    """Adds an offset for each camera, in the maps already."""

    inputs = ("camid", "view")

    def __init__(self, loss="softmax"):
        super().__init__(loss)
        self.offsets = nn.Embedding(2, 6)

    def featuremaps(self, images, camid=None, view=None):
        maps = super().featuremaps(images)
        return maps if camid is None else maps + self.offsets(camid)[:, :, None, None]

    def describe(self, images, camid=None, view=None):
        return self.embed(self.last_maps(images, camid=camid, view=view))


def test_a_model_is_given_the_columns_that_it_wants():
    model, cameras = CameraAware().eval(), torch.tensor([0, 1, 1, 0])
    labels = {"camid": cameras, "dsetid": torch.zeros(4)}
    assert wanted_columns(model, labels) == {"camid": cameras, "view": None}
    assert wanted_columns(Plain(), labels) == {}
    aware = features_of(model, IMAGES, labels)
    torch.testing.assert_close(aware, model(IMAGES) + model.offsets(cameras))
    torch.testing.assert_close(outputs_of(model, IMAGES, camid=cameras).features, aware)
    maps = model(IMAGES, return_featuremaps=True, camid=cameras)
    torch.testing.assert_close(maps.mean((2, 3)), aware)


def test_a_head_hands_the_columns_on():
    model, cameras = CameraAware(), torch.tensor([0, 1, 1, 0])
    for head in ({"pool": "avg"}, {"non_local": True}):
        headed = attach_head(copy.deepcopy(model), head, 5, (16, 8)).eval()
        features = headed(IMAGES, camid=cameras, view=None)
        torch.testing.assert_close(features, model.eval()(IMAGES, camid=cameras))


def test_maps_are_given_the_columns_that_they_have_a_name_for():
    class Late(Plain):
        inputs = ("camid",)

        def describe(self, images, camid=None):
            return super().describe(images) + (0 if camid is None else 1)

    model, cameras = Late(), torch.tensor([0, 1, 1, 0])
    assert model(IMAGES, return_featuremaps=True, camid=cameras).shape == (4, 6, 8, 4)
    headed = attach_head(model, {"pool": "avg"}, 5, (16, 8)).eval()
    assert headed(IMAGES, camid=cameras).shape == (4, 6)


def test_a_column_that_a_model_does_not_name_is_refused():
    with pytest.raises(TypeError, match="camid"):
        Plain()(IMAGES, camid=PIDS)


def test_feature_maps():
    assert Plain()(IMAGES, return_featuremaps=True).shape == (4, 6, 8, 4)
    with pytest.raises(NotImplementedError, match="Branches defines no featuremaps"):
        Branches()(IMAGES, return_featuremaps=True)


def test_an_unknown_loss_is_refused_with_the_way_out():
    with pytest.raises(UnknownNameError, match=r"Did you mean 'softmax'.*outputs='all'"):
        Plain("sofmax")


@pytest.mark.parametrize(
    ("attribute", "size", "wanted"),
    [
        ("fixed_size", (24, 8), "takes images of 24x8 (height x width), and these are 16x8"),
        ("min_size", (8, 9), "takes images of 8x9 or larger (height x width), and these are 16x8"),
    ],
)
def test_images_of_a_size_that_a_network_cannot_take_are_refused(attribute, size, wanted):
    model = Plain()
    assert model(IMAGES).shape == (4, 5)
    setattr(model, attribute, size)
    for call in ({}, {"outputs": "all"}, {"return_featuremaps": True}):
        with pytest.raises(UserError, match=re.escape(wanted)):
            model(IMAGES, **call)
    assert model(
        torch.zeros(1, 3, 24, 8) if attribute == "fixed_size" else torch.zeros(1, 3, 8, 9)
    ).shape == (1, 5)


@pytest.mark.parametrize(
    ("fixed", "smallest", "expected"),
    [
        (None, (1, 1), (256, 128)),
        (None, (299, 1), (299, 128)),
        ((160, 64), (1, 1), (160, 64)),
    ],
)
def test_the_usual_size_is_the_models_own_or_at_least_its_smallest(fixed, smallest, expected):
    model = Plain()
    model.fixed_size, model.min_size = fixed, smallest
    assert usual_size(model) == usual_size(nn.DataParallel(model)) == expected


def test_the_usual_size_of_a_foreign_module_is_that_of_reidentification():
    assert usual_size(nn.Linear(2, 2)) == (256, 128)


def test_complex_features_are_refused_before_a_cast_halves_them() -> None:
    with pytest.raises(DataError, match="gave features that are complex for 2 of 2 images, such"):
        check_finite(torch.ones(2, 3) * 1j, ["a.jpg", "b.jpg"], current_plugins())
