"""One real plugin for each registry hook: what it registers becomes usable."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import BaseModel
from torch import nn

from reidcore import data, hookimpl, registry
from reidcore.config import load_config
from reidcore.engine import Engine
from reidcore.errors import ConfigError, UserError
from reidcore.evaluation import EvaluationProtocol, Related, SameIdentity, evaluate_features
from reidcore.models import ReidModel, build_model, outputs_of
from reidcore.models.weights import find_published
from reidcore.optim import build_lr_scheduler, build_optimizer
from reidcore.plugins import make_plugins
from reidcore.testing import TinyWorld, fake_dataset


def alone(plugin):
    """Return a set of plugins with nothing installed but this one."""
    return make_plugins(entry_points=False, extra=[plugin])


class SmallNet(ReidModel):
    feature_dim = 4

    def __init__(self, num_classes, loss="softmax", pretrained=True, channels=4):
        super().__init__(loss)
        self.feature_dim = channels
        self.convolution = nn.Conv2d(3, channels, 3)
        self.classifier = nn.Linear(channels, num_classes)

    def featuremaps(self, images):
        return self.convolution(images)

    def embed(self, maps):
        return maps.mean(dim=(2, 3))


def test_reid_register_models() -> None:
    class Plugin:
        @hookimpl
        def reid_register_models(self, registry):
            registry.add("smallnet", SmallNet)

    model = build_model("smallnet", 7, pretrained=False, plugins=alone(Plugin()), channels=6)
    assert model.eval()(torch.zeros(2, 3, 8, 8)).shape == (2, 6)
    assert model.train()(torch.zeros(2, 3, 8, 8)).shape == (2, 7)


def test_reid_register_datasets(tmp_path) -> None:
    def people(root, *, only_camera=None):
        splits = data.from_folders(Path(root) / "people")
        kept = [[each for each in split if each.camid != only_camera] for split in splits]
        return data.Splits(*kept)

    class Plugin:
        @hookimpl
        def reid_register_datasets(self, registry):
            registry.add("people", people, options={"people_camera": "only_camera"})

    for split in ("train", "query", "gallery"):
        (tmp_path / "people" / split).mkdir(parents=True)
        for camera in (1, 2):
            Image.new("RGB", (8, 16)).save(
                tmp_path / "people" / split / f"0001_c{camera}_000001.jpg"
            )
    dataset = data.init_image_dataset(
        "people", root=tmp_path, plugins=alone(Plugin()), people_camera=1
    )
    assert [each.camid for each in dataset.train] == [2]


def test_reid_register_losses() -> None:
    class Distance(nn.Module):
        def __init__(self, num_classes, margin=0.5):
            super().__init__()
            self.margin = margin

        def forward(self, features, pids):
            return features.norm(dim=1).mean() + self.margin

    class Plugin:
        @hookimpl
        def reid_register_losses(self, registry):
            registry.add("distance", Distance)

    plugins = make_plugins(extra=[Plugin()])
    config = load_config(
        "quickstart", ["loss.terms={distance: 2.0}", "loss.distance.margin=0.25"], plugins=plugins
    )
    assert config.loss.terms == {"distance": 2.0}
    criterion = registry.find("losses", "distance", plugins).load()(10, margin=0.25)
    assert criterion(torch.zeros(2, 3), torch.zeros(2)).item() == 0.25


def test_reid_register_samplers(tmp_path) -> None:
    class Backwards:
        def __init__(self, table, batch_size, seed):
            self.table = table

        def order(self, epoch):
            return np.arange(len(self.table))[::-1]

    class Plugin:
        @hookimpl
        def reid_register_samplers(self, registry):
            registry.add("Backwards", Backwards)

    samples = [data.Sample(f"{index}.jpg", index // 2, 0) for index in range(6)]
    sampler = data.build_train_sampler(samples, "Backwards", batch_size=2, plugins=alone(Plugin()))
    assert list(sampler) == [5, 4, 3, 2, 1, 0]


def test_reid_register_engines(tmp_path) -> None:
    class Quiet(Engine):
        def __init__(self, datamanager, model, optimizer, scheduler=None, *, volume=1, **options):
            super().__init__(datamanager, **options)
            self.register_model("model", model, optimizer, scheduler)
            self.volume = volume

    class Plugin:
        @hookimpl
        def reid_register_engines(self, registry):
            registry.add("quiet", Quiet)

    plugins = make_plugins(extra=[Plugin(), TinyWorld()])
    config = load_config("quickstart", ["loss.name=quiet", "loss.quiet.volume=3"], plugins=plugins)
    fake_dataset(tmp_path / "tiny")
    with plugins:
        people = data.ImageDataManager(
            root=str(tmp_path), sources="tiny", batch_size_train=8, workers=0
        )
    engine = registry.find("engines", config.loss.name, plugins).load()(
        people, nn.Linear(1, 1), None, volume=3, use_gpu=False, plugins=plugins
    )
    assert engine.volume == 3


def test_reid_register_transforms() -> None:
    class Black:
        def __init__(self, height, width, *, p=1.0):
            self.p = p

        def __call__(self, image):
            return Image.new("RGB", image.size) if self.p == 1.0 else image

    class Plugin:
        @hookimpl
        def reid_register_transforms(self, registry):
            registry.add("black", Black)

    train, _ = data.build_transforms(
        16, 8, transforms=["black"], norm_mean=[0] * 3, norm_std=[1] * 3, plugins=alone(Plugin())
    )
    assert train(Image.new("RGB", (8, 16), "white")).abs().max() == 0


def test_reid_register_optimizers() -> None:
    def heavy(groups, lr, weight_decay, *, momentum=0.9):
        return torch.optim.SGD(groups, lr=lr, weight_decay=weight_decay, momentum=momentum)

    class Plugin:
        @hookimpl
        def reid_register_optimizers(self, registry):
            registry.add("heavy", heavy)

    optimizer = build_optimizer(nn.Linear(2, 1), "heavy", lr=0.5, plugins=alone(Plugin()))
    assert optimizer.param_groups[0]["lr"] == 0.5
    assert optimizer.param_groups[0]["momentum"] == 0.9


def test_reid_register_schedulers() -> None:
    def halving(optimizer, *, stepsize, gamma, max_epoch):
        return torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)

    class Plugin:
        @hookimpl
        def reid_register_schedulers(self, registry):
            registry.add("halving", halving)

    optimizer = torch.optim.SGD(nn.Linear(2, 1).parameters(), lr=1.0)
    scheduler = build_lr_scheduler(optimizer, "halving", max_epoch=2, plugins=alone(Plugin()))
    optimizer.step()
    scheduler.step()
    assert optimizer.param_groups[0]["lr"] == 0.5


def test_reid_register_poolings() -> None:
    class Stripes(nn.Module):
        def __init__(self, channels, stripes=2):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(channels, 1))
            self.stripes = stripes

        def forward(self, maps):
            rows = nn.functional.adaptive_avg_pool2d(maps, (self.stripes, 1)).squeeze(3)
            return (rows * self.scale).flatten(1)

    class Plugin:
        @hookimpl
        def reid_register_poolings(self, registry):
            registry.add("stripes", Stripes)

    plugins = make_plugins(extra=[Plugin(), TinyWorld()])
    section = load_config(
        "quickstart", ["model.head.pool=stripes", "model.head.stripes=3"], plugins=plugins
    ).model.head
    model = build_model("tinynet", 4, pretrained=False, plugins=plugins, head=section.chosen())
    assert model.feature_dim == 3 * 8
    assert model.eval()(torch.zeros(2, 3, 32, 16)).shape == (2, 3 * 8)
    assert model.head.pool.scale.shape == (8, 1)
    with pytest.raises(ConfigError, match=r"model\.head\.stripes: .*pooling 'stripes'"):
        load_config(
            "quickstart", ["model.head.pool=stripes", "model.head.stripes=x"], plugins=plugins
        )


def test_reid_register_classifiers() -> None:
    class Shifted(nn.Linear):
        def __init__(self, feature_dim, num_classes, bias, shift=1.0):
            super().__init__(feature_dim, num_classes, bias=bias)
            self.shift = shift

        def forward(self, features, pids=None):
            return super().forward(features) + (0.0 if pids is None else self.shift)

    class Plugin:
        @hookimpl
        def reid_register_classifiers(self, registry):
            registry.add("shifted", Shifted)

    plugins = make_plugins(extra=[Plugin(), TinyWorld()])
    head = {"classifier": "shifted", "neck": "bnneck", "shift": 2.0}
    model = build_model("tinynet", 4, pretrained=False, plugins=plugins, head=head).eval()
    assert model.classifier.bias is None
    images, pids = torch.zeros(2, 3, 32, 16), torch.zeros(2, dtype=torch.int64)
    shifted, plain = outputs_of(model, images, pids).logits, outputs_of(model, images).logits
    torch.testing.assert_close(shifted, plain + 2.0)
    with pytest.raises(ConfigError, match=r"head\.shift: no effect without classifier: shif"):
        build_model("tinynet", 4, plugins=plugins, head={"shift": 2.0})


def test_reid_register_protocols() -> None:
    class EveryCamera(EvaluationProtocol):
        def relations(self, labels):
            same_identity = SameIdentity(labels)

            class Matches:
                def rows(self, start, stop):
                    related = same_identity.rows(start, stop)
                    return Related(
                        related.first, related.items, np.ones(len(related.items), dtype=bool)
                    )

            return Matches()

    class Plugin:
        @hookimpl
        def reid_register_protocols(self, registry):
            registry.add("every_camera", EveryCamera)

    plugins = make_plugins(extra=[Plugin()])
    chosen = load_config(
        "quickstart", ["test.protocol=every_camera"], plugins=plugins
    ).test.protocol
    protocol = registry.find("protocols", chosen, plugins).load()()
    one_camera = {"q_camids": [0, 0], "g_camids": [0, 0]}
    features = [[0.0], [5.0]], [[0.1], [5.1]]
    result = evaluate_features(*features, [1, 2], [1, 2], **one_camera, protocol=protocol)
    assert result.mAP == 1.0
    with pytest.raises(UserError, match="none of the 2 queries has a match"):
        evaluate_features(*features, [1, 2], [1, 2], **one_camera)


def test_reid_register_configs(site) -> None:
    class Settings(BaseModel, extra="forbid"):
        weight: float = 0.01

    class Plugin:
        @hookimpl
        def reid_register_configs(self, registry):
            registry.add("with_penalty", "shop_of_recipes:recipes/with_penalty.yaml")
            registry.settings(Settings)

    site.write("shop_of_recipes.empty", "")
    recipe = site.folder / "shop_of_recipes" / "recipes" / "with_penalty.yaml"
    recipe.parent.mkdir()
    recipe.write_text(
        "model: {name: osnet_x0_25, pretrained: false}\n"
        "train: {max_epoch: 3}\n"
        "settings: {Plugin: {weight: 0.5}}\n"
    )
    plugins = make_plugins(extra=[Plugin()])
    config = load_config("with_penalty", plugins=plugins)
    assert config.train.max_epoch == 3
    assert config.settings["Plugin"].weight == 0.5
    with pytest.raises(ConfigError, match="wieght"):
        load_config("with_penalty", ["settings.Plugin.wieght=1"], plugins=plugins)


def test_reid_register_weights(site) -> None:
    class Plugin:
        @hookimpl
        def reid_register_weights(self, registry):
            registry.table("shop_of_weights:tables/weights.yaml")
            registry.add("bare", lambda: {"filename": "bare.pth"})

    site.write("shop_of_weights.empty", "")
    table = site.folder / "shop_of_weights" / "tables" / "weights.yaml"
    table.parent.mkdir()
    table.write_text("tiny: {filename: tiny.pth, url: 'https://example.org/t', origin: a shop}\n")
    plugins = alone(Plugin())
    assert [entry.summary for entry in registry.entries("weights", plugins)] == ["", "a shop"]
    assert find_published("tiny", plugins).url == "https://example.org/t"
    assert find_published("Plugin/bare", plugins).filename == "bare.pth"
