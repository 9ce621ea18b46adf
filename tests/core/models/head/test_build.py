"""Models with a head: what they return, keep and refuse."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from reidcore import hookimpl
from reidcore.errors import ConfigError
from reidcore.losses import TripletLoss
from reidcore.models import (
    Outputs,
    ReidModel,
    attach_head,
    build_model,
    load_pretrained_weights,
    outputs_of,
)
from reidcore.models.layers import open_all_layers, open_specified_layers
from reidcore.testing import tiny_run

PEOPLE = 4
PIDS = torch.arange(PEOPLE).repeat_interleave(2)


def images_of(height: int = 32, width: int = 16) -> torch.Tensor:
    """Two images of each of four people, each of one colour."""
    draw = torch.Generator().manual_seed(0)
    colours = torch.randn(PEOPLE, 3, 1, 1, generator=draw).repeat_interleave(2, dim=0)
    return colours + 0.3 * torch.randn(2 * PEOPLE, 3, height, width, generator=draw)


class SmallNet(ReidModel):
    """Three convolutions, and an embedding layer of its own."""

    def __init__(self, num_classes, loss="softmax"):
        super().__init__(loss)
        self.trunk = nn.Sequential(
            nn.Conv2d(3, 8, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(8, 12, 3, stride=2, padding=1),
            nn.ReLU(),
        )
        self.fc = nn.Linear(12, 6)
        self.classifier = nn.Linear(6, num_classes)

    def featuremaps(self, images):
        return self.trunk(images)

    def embed(self, maps):
        return self.fc(maps.mean((2, 3)))


class Parts(SmallNet):
    def heads(self, embedding, pids):
        return Outputs([self.classifier(embedding), self.classifier(embedding)], embedding)


class WithoutMaps(SmallNet):
    featuremaps = ReidModel.featuremaps

    def describe(self, images):
        return self.embed(self.trunk(images))


class HasAHead(SmallNet):
    def __init__(self, num_classes, loss="softmax"):
        super().__init__(num_classes, loss)
        self.head = nn.Linear(6, 6)

    def embed(self, maps):
        return self.head(super().embed(maps))


def small(head, kind=SmallNet, **options):
    torch.manual_seed(0)
    return attach_head(kind(PEOPLE, **options), head, PEOPLE, (32, 16))


def osnet(head):
    torch.manual_seed(0)
    return build_model(
        "osnet_x0_25", PEOPLE, pretrained=False, head=head, image_size=(32, 16), loss="triplet"
    )


# -- training --------------------------------------------------------------------------------------

HEADS = {
    **{f"pool {name}": {"pool": name} for name in ("avg", "max", "avg+max", "gem")},
    "embedding": {"embedding": 5},
    "bnneck": {"neck": "bnneck"},
    "dropout": {"dropout": 0.2},
    "non-local": {"non_local": True},
    "last stride": {"last_stride": 1},
    **{name: {"classifier": name} for name in ("linear", "arcface", "cosface", "circle")},
    "all": {
        "pool": "gem",
        "embedding": 8,
        "neck": "bnneck",
        "dropout": 0.1,
        "non_local": True,
        "last_stride": 1,
        "classifier": "cosface",
        "scale": 16.0,
        "margin": 0.2,
    },
}
# Every choice once more, several at a time, as the larger network takes longer.
TOGETHER = [
    {"pool": "avg", "neck": "bnneck", "classifier": "linear"},
    {"pool": "max", "embedding": 16, "classifier": "arcface"},
    {"pool": "avg+max", "dropout": 0.2, "classifier": "cosface"},
    {"pool": "gem", "non_local": True, "last_stride": 1, "classifier": "circle"},
]


@pytest.mark.parametrize("name", HEADS)
def test_every_head_learns_on_a_small_network(name) -> None:
    learns(small(HEADS[name]), steps=30, rate=1e-2)


@pytest.mark.parametrize("head", TOGETHER, ids=lambda head: "+".join(head))
def test_every_head_learns_on_osnet(head) -> None:
    learns(osnet(head), steps=10, rate=1e-3)


def learns(model, steps, rate) -> None:
    images, triplet = images_of(), TripletLoss(0.3)
    before = {key: value.detach().clone() for key, value in model.named_parameters()}
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    losses = []
    for _ in range(steps):
        logits, features = outputs_of(model, images, PIDS)
        loss = F.cross_entropy(logits, PIDS) + triplet(features, PIDS)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert min(losses[-3:]) < 0.85 * losses[0]
    changed = [key for key, value in model.named_parameters() if not value.equal(before[key])]
    headed = [key for key in before if key.startswith(("head.", "classifier."))]
    assert headed
    assert {*headed, *list(before)[:1]} <= set(changed)


def test_the_engine_gives_labels_to_the_classifier_under_mixed_precision(tmp_path) -> None:
    seen = []
    overrides = ["loss.name=triplet", "loss.triplet.weight_x=1.0", "train.amp=bf16"]
    head = ["model.head.classifier=arcface", "model.head.neck=bnneck"]

    def note(classifier, inputs, logits):
        seen.append((inputs[1], logits.dtype))

    class Watch:
        @hookimpl
        def reid_run_start(self, engine):
            engine.model.classifier.register_forward_hook(note)

    run = tiny_run(
        Watch(),
        save_dir=tmp_path,
        overrides=[*overrides, *head, "sampler.train_sampler=RandomIdentitySampler"],
    )
    assert run.engine.model.classifier.margin == 0.5
    assert seen
    assert all(pids is not None and dtype is torch.float32 for pids, dtype in seen)
    assert run.result["targets"]["tiny"]["mAP"] > 0


# -- what it returns -------------------------------------------------------------------------------


def test_a_neck_stands_between_metric_losses_and_the_classifier() -> None:
    model, images = small({"neck": "bnneck"}), images_of()
    outputs = model(images, outputs="all")
    normalised = (outputs.features - outputs.features.mean(0)) / (
        outputs.features.var(0, correction=0) + 1e-5
    ).sqrt()
    torch.testing.assert_close(outputs.logits, normalised @ model.classifier.weight.T)
    model.eval()
    features = model(images)
    torch.testing.assert_close(features, model.head.neck(outputs.features))
    torch.testing.assert_close(model(images, outputs="all").logits, model.classifier(features))


@pytest.mark.parametrize("metric", ["before_neck", "after_neck"])
@pytest.mark.parametrize("test", ["before_neck", "after_neck"])
def test_metric_losses_and_retrieval_see_either_side_of_the_neck(metric, test) -> None:
    head = {"neck": "bnneck", "metric_features": metric, "test_features": test}
    model = small({**head, "dropout": 0.5})
    images = images_of()
    expected = {"before_neck": model.describe(images)}
    expected["after_neck"] = F.batch_norm(
        expected["before_neck"], None, None, model.head.neck.weight, training=True
    )
    torch.testing.assert_close(model(images, outputs="all").features, expected[metric])
    assert model.head.neck.num_batches_tracked == 1
    model.eval()
    expected["after_neck"] = model.head.neck(expected["before_neck"])
    torch.testing.assert_close(model(images), expected[test])
    assert not torch.equal(*expected.values())


def test_a_neck_has_no_shift_even_after_all_layers_are_opened() -> None:
    model = small({"neck": "bnneck"})
    open_all_layers(model)
    names = [name for name, _ in model.named_parameters() if not name.startswith("trunk")]
    assert names == ["fc.weight", "fc.bias", "classifier.weight", "head.neck.weight"]


def test_dropout_is_for_the_classifier_alone() -> None:
    model, images = small({"dropout": 0.5}), images_of()
    first, second = (model(images, outputs="all") for _ in range(2))
    assert not first.logits.equal(second.logits)
    torch.testing.assert_close(first.features, second.features)


@pytest.mark.parametrize("loss", ["softmax", "triplet"])
def test_bare_calls_keep_the_contract(loss) -> None:
    model, images = small({"pool": "gem", "embedding": 5}, loss=loss), images_of()
    returned = model(images)
    shapes = [tuple(value.shape) for value in (returned if loss == "triplet" else (returned,))]
    assert shapes == [(8, PEOPLE), (8, 5)][: len(shapes)]
    assert model.feature_dim == 5
    assert model.eval()(images).shape == (8, 5)


def test_a_non_local_block_starts_as_the_identity_and_is_in_the_maps() -> None:
    model, images = small({"non_local": True}).eval(), images_of()
    maps = model(images, return_featuremaps=True)
    torch.testing.assert_close(maps, model.trunk(images))
    nn.init.ones_(model.head.non_local.norm.weight)
    assert not model(images, return_featuremaps=True).equal(maps)


# -- what stays ------------------------------------------------------------------------------------


@pytest.mark.parametrize("head", [{}, None, {"pool": None, "dropout": 0.0}])
def test_without_a_choice_a_model_is_unchanged(head) -> None:
    torch.manual_seed(0)
    plain = build_model("osnet_x0_25", PEOPLE, pretrained=False)
    torch.manual_seed(0)
    headed = build_model("osnet_x0_25", PEOPLE, pretrained=False, head=head)
    assert type(headed) is type(plain)
    assert list(headed.state_dict()) == list(plain.state_dict())
    assert all(a.equal(b) for a, b in zip(headed.parameters(), plain.parameters(), strict=True))


def test_a_backbones_weights_load_into_it_with_a_head(tmp_path) -> None:
    plain = SmallNet(PEOPLE)
    torch.save(plain.state_dict(), tmp_path / "plain.pth")
    headed = small({"pool": "gem", "neck": "bnneck", "last_stride": 1})
    report = load_pretrained_weights(headed, tmp_path / "plain.pth")
    assert [key for key in report.loaded if key.startswith("trunk")] == [
        *("trunk.0.weight", "trunk.0.bias", "trunk.2.weight", "trunk.2.bias")
    ]
    torch.testing.assert_close(headed.trunk[2].weight, plain.trunk[2].weight)


def test_a_model_with_a_head_is_saved_restored_and_copied() -> None:
    head, images = HEADS["all"], images_of()
    model = small(head)
    outputs_of(model, images, PIDS)
    other = small(head)
    other.load_state_dict(model.state_dict())
    copied = copy.deepcopy(model)
    for again in (other, copied):
        torch.testing.assert_close(again.eval()(images), model.eval()(images))


def test_a_pooling_takes_the_place_of_what_stood_behind_the_maps(caplog) -> None:
    with caplog.at_level("INFO", logger="reidcore"):
        model = small({"pool": "max"})
    assert "The head takes the place of fc" in caplog.text
    assert not [key for key in model.state_dict() if key.startswith("fc")]
    assert model.eval()(images_of()).shape == (8, 12)


def test_building_a_head_leaves_modes_and_the_random_numbers_of_others_alone() -> None:
    model = small({"pool": "gem", "neck": "bnneck"})
    assert all(layer.training for layer in model.modules())
    before = torch.get_rng_state()
    attach_head(SmallNet.__new__(SmallNet), {}, PEOPLE)
    assert torch.get_rng_state().equal(before)


def test_the_classifier_keeps_its_name_for_open_layers() -> None:
    model = small({"neck": "bnneck", "classifier": "circle"})
    open_specified_layers(model, ["classifier", "head"])
    opened = {name for name, value in model.named_parameters() if value.requires_grad}
    assert opened == {"classifier.weight", "head.neck.weight"}


def test_a_head_goes_where_its_network_is() -> None:
    network = SmallNet(PEOPLE).to("meta")
    headed = attach_head(network, {**HEADS["all"], "pool": "avg+max"}, PEOPLE, (32, 16))
    assert {value.device.type for value in headed.state_dict().values()} == {"meta"}


# -- what it refuses -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ({"pool": "gen"}, "model.head.pool: no pooling is named 'gen'. Did you mean 'gem'?"),
        ({"poll": "gem"}, "model.head.poll: unknown key. Did you mean 'pool'"),
        ({"dropout": 1.0}, "model.head.dropout: expected less than 1.0, not 1.0"),
        ({"scale": 0.0, "classifier": "circle"}, "model.head.scale: expected more than 0"),
        ({"embedding": 0}, "model.head.embedding: expected at least 1, not 0"),
        ({"gem_p": 0.5, "pool": "gem"}, "model.head.gem_p: expected at least 1"),
        ({"last_stride": 2}, "model.head.last_stride: expected 1, not 2"),
        ({"margin": 0.3}, "model.head.margin: no effect without classifier: arcface, circle or"),
        ({"gem_p": 2.0, "pool": "max"}, "model.head.gem_p: no effect without pool: gem"),
        ({"neck": "bneck", "pool": 3}, "has 2 mistakes"),
        ({"pool": "gem", "test_features": "before_neck"}, "=before_neck without a neck"),
    ],
)
def test_bad_options_are_named(head, message) -> None:
    with pytest.raises(ConfigError) as caught:
        small(head)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "head", "message"),
    [
        (Parts, {"neck": "bnneck"}, "Parts describes an image by several vectors"),
        (WithoutMaps, {"pool": "gem"}, "WithoutMaps has no feature maps to pool"),
        (HasAHead, {"pool": "gem"}, "HasAHead has a part named 'head' itself"),
    ],
)
def test_networks_that_cannot_have_a_head_are_refused(kind, head, message) -> None:
    with pytest.raises(ConfigError, match=message):
        small(head, kind)


def test_a_networks_own_layer_may_be_named_head() -> None:
    model, images = HasAHead(PEOPLE), images_of()
    assert model(images).shape == (8, PEOPLE)
    assert model.eval()(images).equal(model.head(model.fc(model.trunk(images).mean((2, 3)))))


def test_a_foreign_module_is_refused() -> None:
    with pytest.raises(ConfigError, match="Sequential is no ReidModel"):
        attach_head(nn.Sequential(nn.Flatten(), nn.Linear(6, 2)), {"neck": "bnneck"}, 2)


def test_a_non_local_block_that_features_bypass_is_refused() -> None:
    class Bypass(SmallNet):
        def describe(self, images):
            return self.embed(self.trunk(images))

    with pytest.raises(ConfigError, match="Bypass makes its features from more than its last maps"):
        small({"non_local": True}, Bypass)
    assert small({"non_local": True, "pool": "avg"}, Bypass)(images_of()).shape == (8, PEOPLE)
