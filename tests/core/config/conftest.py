from collections.abc import Sequence

import pytest
from pydantic import BaseModel, ConfigDict

from reidcore import hookimpl
from reidcore.plugins import make_plugins


def market1501(root, *, use_500k_distractors=False):
    raise NotImplementedError


def cuhk03(root, *, labeled_images: bool = False, classic_split: bool = False, split_id: int = 0):
    raise NotImplementedError


def variant(root, *, release: str, sizes: Sequence[int] = (1, 2)):
    raise NotImplementedError


def loose(root="", **kwargs):
    raise NotImplementedError


def small_net(num_classes, loss="softmax", pretrained=True, *, width: float = 1.0, blocks=2):
    raise NotImplementedError


def by_identity(table, batch_size, seed, *, num_instances: int = 4, shuffle: bool = True):
    raise NotImplementedError


def in_order(table, batch_size, seed):
    raise NotImplementedError


def paint(height, width, *, p=0.5, fill: str | tuple[float, float, float] = "noise"):
    raise NotImplementedError


def softmax(datamanager, model, optimizer, scheduler=None, use_gpu=True, label_smooth=True):
    raise NotImplementedError


def sphere(num_classes, *, gamma: float = 64.0, margin: float = 0.25):
    raise NotImplementedError


def single_shot(*, trials: int = 10):
    raise NotImplementedError


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    strength: float = 0.5
    layers: list[str] = []


class Components:
    __name__ = "components"

    @hookimpl
    def reid_register_models(self, registry):
        registry.add("resnet50", small_net)
        registry.add("osnet_x1_0", small_net)

    @hookimpl
    def reid_register_datasets(self, registry):
        registry.add("market1501", market1501, options={"market1501_500k": "use_500k_distractors"})
        registry.add(
            "cuhk03",
            cuhk03,
            options={"cuhk03_labeled": "labeled_images", "cuhk03_classic_split": "classic_split"},
        )
        registry.add("variant", variant, aliases=["variant_v1"])
        registry.add("loose", loose)
        registry.add("gone", "a_module_that_is_not_there:gone", needs=["mat"])

    @hookimpl
    def reid_register_samplers(self, registry):
        registry.add("RandomSampler", in_order)
        registry.add("RandomIdentitySampler", by_identity)

    @hookimpl
    def reid_register_transforms(self, registry):
        registry.add("paint", paint)

    @hookimpl
    def reid_register_engines(self, registry):
        registry.add("softmax", softmax)

    @hookimpl
    def reid_register_losses(self, registry):
        registry.add("sphere", sphere)

    @hookimpl
    def reid_register_protocols(self, registry):
        registry.add("single_shot", single_shot, options={"single_shot.instead": "select"})

    @hookimpl
    def reid_register_configs(self, registry):
        registry.add("mine", "reid_plugins_standard.recipes:quickstart.yaml")
        registry.add("nowhere", "reid_plugins_standard/recipes/nowhere.yaml")
        registry.settings(Settings)


@pytest.fixture(scope="session")
def plugins():
    return make_plugins(entry_points=False, extra=["reid_plugins_standard", Components()])


@pytest.fixture(scope="session")
def no_plugins():
    return make_plugins(entry_points=False)


@pytest.fixture
def write(tmp_path):
    def _write(text, name="run.yaml"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return _write
