"""What is known of the training images before anything is learnt, and the batches of it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from reid_plugins_transformers.clip.model import ClipReid
from reid_plugins_transformers.clip.training_features import (
    FeatureBatches,
    TrainingFeatures,
    describe_training_images,
)

from reidcore import hookimpl
from reidcore.data import ImageDataManager, SampleTable, from_folders, read_image
from reidcore.engine import Engine
from reidcore.errors import UserError
from reidcore.models import build_model, unwrap
from reidcore.testing import TinyWorld, fake_dataset, make_plugins


class Further:
    """A second dataset of the same kind."""

    @hookimpl
    def reid_register_datasets(self, registry: Any) -> None:
        registry.add("further", lambda root: from_folders(Path(root) / "further"))


def build(root: Path, *sources: str, model: str = "clipreid_rn50", **options: Any) -> Engine:
    plugins = make_plugins(TinyWorld(), Further())
    torch.manual_seed(0)
    data = ImageDataManager(
        str(root),
        list(sources or ["tiny"]),
        **{"targets": "tiny", "height": 32, "width": 32, "batch_size": 8, "workers": 0, **options},
        transforms=["random_flip", "random_erase"],
        plugins=plugins,
    )
    toy: dict[str, Any] = {"width": 4, "text_width": 64, "text_depth": 1, "embedding": 16}
    network = build_model(
        model, data.num_train_pids, pretrained=False, image_size=(32, 32), plugins=plugins, **toy
    )
    engine = Engine(data, use_gpu=False, plugins=plugins)
    engine.register_model("model", network)
    return engine


def describe(engine: Engine, batch_size: int = 5) -> TrainingFeatures:
    network = unwrap(engine.model)
    assert isinstance(network, ClipReid)
    return describe_training_images(engine, network, batch_size)


def test_all_training_images_are_described_under_the_test_transform(root: Path) -> None:
    engine = build(root)
    engine.set_model_mode("train")
    before = {name: value.clone() for name, value in engine.model.state_dict().items()}
    found = describe(engine)
    data: Any = engine.datamanager
    table = data.train_table
    assert list(found.paths) == [sample.path for sample in table]
    assert found.pids.tolist() == table.pids.tolist()
    network: Any = unwrap(engine.model)
    with torch.no_grad():
        images = torch.stack([data.preprocess_pil_img(read_image(path)) for path in found.paths])
        wanted = network.eval().image_encoder(images).projected
    torch.testing.assert_close(found.features, wanted, rtol=1e-4, atol=1e-5)
    after = engine.model.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_identities_of_several_sources_are_those_of_training(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root / "tiny", tmp_path / "tiny")
    fake_dataset(tmp_path / "further")
    engine = build(tmp_path, "tiny", "further")
    table = SampleTable.of(engine.data_facts.train_table or [])
    found = describe(engine)
    assert found.pids.tolist() == table.pids.tolist()
    assert list(found.paths) == [sample.path for sample in table]
    assert len(set(found.pids.tolist())) == 12


def test_images_that_cannot_be_read_are_left_out_and_recorded(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root / "tiny", tmp_path / "tiny")
    engine = build(tmp_path, on_bad_image="skip")
    broken = str(SampleTable.of(engine.data_facts.train_table or [])[3].path)
    Path(broken).write_bytes(b"no picture")
    found = describe(engine)
    assert len(found.paths) == len(found.features) == len(found.pids) == 23
    assert broken not in found.paths
    assert list(found.skipped) == [broken] == list(FeatureBatches(found, 4, 0).skipped)


def test_a_data_manager_of_another_kind_is_told_what_it_lacks(root: Path) -> None:
    engine = build(root)

    class Plain:
        train_loader = ({"img": torch.zeros(1)},)

    engine.datamanager = Plain()  # type: ignore[assignment]
    with pytest.raises(UserError, match="Plain does not say how its training images"):
        describe(engine)


@pytest.fixture
def images() -> TrainingFeatures:
    return TrainingFeatures(torch.arange(22.0).reshape(11, 2), torch.arange(11), [*"abcdefghijk"])


def test_each_epoch_has_all_images_once_in_an_order_of_its_own(images: TrainingFeatures) -> None:
    loader = FeatureBatches(images, batch_size=4, seed=1)
    orders = []
    for epoch in (0, 1, 0):
        loader.set_epoch(epoch)
        batches = list(loader)
        assert [len(batch["pid"]) for batch in batches] == [4, 4, 3]
        assert len(loader) == 3
        orders.append([path for batch in batches for path in batch["impath"]])
        for batch in batches:
            assert [*"abcdefghijk"].index(batch["impath"][0]) == batch["pid"][0]
            assert torch.equal(batch["img"][:, 0], 2.0 * batch["pid"])
    assert sorted(orders[0]) == [*"abcdefghijk"]
    assert orders[0] == orders[2] != orders[1]
    other = FeatureBatches(images, batch_size=4, seed=2)
    assert [path for batch in other for path in batch["impath"]] != orders[0]


def test_an_epoch_goes_on_behind_the_batches_that_were_seen(images: TrainingFeatures) -> None:
    loader = FeatureBatches(images, batch_size=4, seed=1)
    loader.set_epoch(5)
    whole = [batch["impath"] for batch in loader]
    loader.set_epoch(5, skip=2)
    assert [batch["impath"] for batch in loader] == whole[2:]
    assert [batch["impath"] for batch in loader] == whole  # the next one is whole again
