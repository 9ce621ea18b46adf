"""Test-time steps in tests of an engine, from settings, and in a FeatureExtractor."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from reid_plugins_standard.test_time import TestTime, apply_steps
from reid_plugins_standard.test_time.training_features import train_features
from torch import Tensor
from torch.nn import functional as F

from reidcore import hookimpl
from reidcore.data import ImageDataManager, from_folders
from reidcore.engine import Engine, ImageSoftmaxEngine
from reidcore.errors import ConfigError, DataError, UserError
from reidcore.evaluation import Distances, Labels, MatrixDistances
from reidcore.inference import FeatureExtractor
from reidcore.models import build_model
from reidcore.plugins import Plugins, make_plugins
from reidcore.testing import TinyWorld, fake_dataset, tiny_run

MakeEngine = Callable[..., Engine]


class Watching:
    """Keeps what a test measures, and adds a metric of its own."""

    @hookimpl(wrapper=True, tryfirst=True)
    def reid_transform_features(self, labels: Labels):
        self.query, self.gallery = yield
        self.labels = labels
        return self.query, self.gallery

    @hookimpl
    def reid_compute_distance(self, query: Tensor, gallery: Tensor, metric: str):
        return MatrixDistances(torch.cdist(query, gallery, p=1)) if metric == "manhattan" else None

    @hookimpl
    def reid_target_tested(self, tested) -> None:
        self.distances = np.concatenate([block for _, block in tested.distances.blocks()])


class Twin:
    """A plugin with the tiny dataset under another name."""

    @hookimpl
    def reid_register_datasets(self, registry) -> None:
        registry.add("twin", lambda root: from_folders(root / "tiny"))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    fake_dataset(folder / "tiny")
    return folder


@pytest.fixture
def make_engine(root: Path) -> MakeEngine:
    """Return a function that makes an untrained engine, always the same, with plugins."""

    def make(
        *extra: Any,
        sources: str | list[str] = "tiny",
        targets: str | list[str] = "tiny",
        root: Path = root,
        **options: Any,
    ) -> Engine:
        plugins = make_plugins(extra=[TinyWorld(), Twin(), *extra])
        torch.manual_seed(0)
        data = ImageDataManager(
            str(root), sources, targets, 32, 16, workers=0, batch_size=8, plugins=plugins, **options
        )
        model = build_model("tinynet", max(1, data.num_train_pids), plugins=plugins)
        return ImageSoftmaxEngine(data, model, torch.optim.SGD(model.parameters(), 0.1),
                                  plugins=plugins, use_gpu=False)  # fmt: skip

    return make


def test_steps_change_features_and_are_stamped(make_engine: MakeEngine) -> None:
    plain, watching = Watching(), Watching()
    make_engine(plain).test()
    steps = ["normalize", {"aqe": {"k": 2}}]
    result = make_engine(TestTime(steps), watching).test()["tiny"]
    expected = apply_steps(plain.query, plain.gallery, plain.labels, steps)
    torch.testing.assert_close(watching.query, expected.query)
    torch.testing.assert_close(watching.gallery, expected.gallery)
    assert result.conditions["test_time"] == [{"normalize": {}}, {"aqe": {"k": 2}}]


def test_flip_is_part_of_the_extraction(make_engine: MakeEngine, root: Path) -> None:
    plain, flipped, normalised = Watching(), Watching(), Watching()
    make_engine(plain).test()
    make_engine(TestTime([{"flip": {"combine": "mean"}}]), flipped).test()
    engine = make_engine(TestTime(["normalize", "flip"]), normalised)
    engine.test()
    loader = engine.test_loader["tiny"]["query"]
    images = torch.cat([batch["img"] for batch in loader])
    with torch.inference_mode():
        views = [engine.model.eval()(each) for each in (images, images.flip(3))]
    torch.testing.assert_close(flipped.query, (views[0] + views[1]) / 2)
    unit = [F.normalize(view, dim=1) for view in views]
    torch.testing.assert_close(normalised.query, unit[0] + unit[1])


def test_re_ranking_is_that_of_the_run_of_any_metric(make_engine: MakeEngine) -> None:
    for metric in ("cosine", "manhattan"):
        ours, theirs = Watching(), Watching()
        found = make_engine(TestTime(["rerank"]), ours).test(dist_metric=metric)["tiny"]
        expected = make_engine(theirs).test(dist_metric=metric, rerank=True)["tiny"]
        np.testing.assert_array_equal(ours.distances, theirs.distances)
        assert found.conditions["rerank"] == expected.conditions["rerank"]
    with pytest.raises(UserError, match=r"test\.rerank and a test-time step both re-rank"):
        make_engine(TestTime(["rerank"])).test(rerank=True)


def test_re_ranking_happens_on_the_device_of_the_run(make_engine: MakeEngine, monkeypatch) -> None:
    asked = []

    def on_device(distances: Distances, device: torch.device) -> Distances:
        asked.append((distances.shape, device))
        return distances

    monkeypatch.setattr("reid_plugins_standard.test_time.plugin.on_device", on_device)
    engine = make_engine(TestTime(["rerank"]))
    found = engine.test()["tiny"]
    images = len(found.query) + len(found.gallery)
    assert asked == [((images, images), engine.device)]


def test_whitening_learns_from_the_training_images_once(
    make_engine: MakeEngine, monkeypatch
) -> None:
    plain, watching = Watching(), Watching()
    make_engine(plain).test(normalize_feature=True)
    engine = make_engine(TestTime([{"whiten": {"dims": 3}}]), watching, targets=["tiny", "twin"])
    asked = []
    module = "reid_plugins_standard.test_time.plugin.train_features"
    monkeypatch.setattr(module, lambda engine: asked.append(train_features(engine)) or asked[-1])
    engine.test(normalize_feature=True)
    (train,) = asked
    assert train.shape == (len(engine.datamanager.train_table), 8)
    # By hand: the training images, through the test transform.
    trained = engine.datamanager
    images = [trained.preprocess_pil_img(Image.open(path)) for path in trained.train_table.paths]
    with torch.inference_mode():
        expected = F.normalize(engine.model.eval()(torch.stack(images)), dim=1)
    torch.testing.assert_close(train, expected)
    white = apply_steps(
        plain.query, plain.gallery, plain.labels, [{"whiten": {"dims": 3}}], train=expected
    )
    torch.testing.assert_close(watching.query.abs(), white.query.abs(), atol=1e-3, rtol=1e-3)
    with torch.no_grad():  # another model: a later test learns anew
        engine.model.conv.weight.neg_()
    engine.test()
    assert len(asked) == 2
    assert not torch.equal(*asked)


def test_whitening_without_training_images_says_what_to_do(make_engine: MakeEngine) -> None:
    engine = make_engine(TestTime(["whiten"]), sources=[], test_only=True)
    with pytest.raises(
        UserError, match=r"a test-time step learns .*Name what the .* data\.sources"
    ):
        engine.test()


def test_unreadable_training_images_are_left_out_where_the_run_leaves_them_out(
    make_engine: MakeEngine, root: Path, tmp_path: Path, caplog
) -> None:
    broken = tmp_path / "data"
    shutil.copytree(root, broken)
    path = make_engine(root=broken).datamanager.train_table.paths[3]
    Path(path).write_bytes(b"no picture")
    with pytest.raises(DataError, match=Path(path).name):
        train_features(make_engine(root=broken))
    features = train_features(make_engine(root=broken, on_bad_image="skip"))
    assert len(features) == len(make_engine().datamanager.train_table) - 1
    assert "1 training image left out, unreadable, such as: " in caplog.text


def test_a_loader_of_ones_own_is_no_road_to_the_training_images(make_engine: MakeEngine) -> None:
    engine = make_engine()
    engine.test_loader["tiny"]["query"] = list(engine.test_loader["tiny"]["query"])
    with pytest.raises(UserError, match="the queries' loader, a list, has no"):
        train_features(engine)


def test_settings_bring_steps_to_a_run(root: Path, tmp_path: Path) -> None:
    settings = ["settings.standard.test_time=[flip, {camera_mean: {least: 3}}, {alpha_qe: {k: 2}}]"]
    run = tiny_run(save_dir=tmp_path, root=root, overrides=settings)
    conditions = run.result["targets"]["tiny"]["conditions"]
    assert conditions["test_time"] == [
        {"flip": {"combine": "sum"}},
        {"camera_mean": {"deviation": False, "least": 3}},
        {"alpha_qe": {"k": 2, "alpha": 3.0}},
    ]
    assert "standard.test_time" in [plugin["name"] for plugin in run.result["plugins"]]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("test_time=[flip, normalise]", "no test-time step is named 'normalise'.*'normalize'"),
        ("test_time=[{aqe: {n: 3}}]", "has no option 'n'"),
        ("test_time=3", "expected a list"),
        ("test_tim=[flip]", "test_time"),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    root: Path, tmp_path: Path, setting: str, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        tiny_run(save_dir=tmp_path, root=root, overrides=[f"settings.standard.{setting}"])


def test_re_ranking_twice_is_refused_before_a_run(root: Path, tmp_path: Path) -> None:
    overrides = ["settings.standard.test_time=rerank", "test.rerank=true"]
    with pytest.raises(ConfigError, match="both re-rank"):
        tiny_run(save_dir=tmp_path, root=root, overrides=overrides)
    assert not list(tmp_path.glob("*.pth*"))


def extractor(plugins: Plugins) -> FeatureExtractor:
    torch.manual_seed(0)
    return FeatureExtractor(
        "tinynet", image_size=(32, 16), device="cpu", verbose=False, workers=0, plugins=plugins
    )


def test_a_feature_extractor_takes_the_steps_on_images(caplog) -> None:
    images = torch.rand(3, 3, 32, 16)
    plain = extractor(make_plugins(extra=[TinyWorld()]))
    steps = TestTime(["flip", "aqe", "rerank"])
    flipped = extractor(make_plugins(extra=[TinyWorld(), steps]))
    torch.testing.assert_close(flipped(images), plain(images) + plain(images.flip(3)))
    flipped(images)
    told = [r.getMessage() for r in caplog.records if "Outside of a test" in r.getMessage()]
    assert told == ["Outside of a test there is no aqe and rerank: it takes a query and a gallery"]
