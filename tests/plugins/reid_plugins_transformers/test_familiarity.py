"""Side information in runs: learnt from the sources' cameras, and known of no others."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
import torch
from reid_plugins_transformers.familiarity import side_information_in
from reid_plugins_transformers.transreid.model import TransReID
from reid_plugins_transformers.vit.encoder import Architecture
from torch import nn

from reidcore import data, hookimpl
from reidcore.data import SampleTable
from reidcore.testing import fake_dataset, tiny_run

FORM = Architecture(12, 2, 2)


def toy(
    num_classes: int,
    loss: str = "softmax",
    pretrained: bool = True,
    *,
    image_size: tuple[int, int],
    num_cameras: int | None = None,
    num_views: int | None = None,
    sie: str = "none",
) -> TransReID:
    sizes = {"image_size": image_size, "num_cameras": num_cameras, "num_views": num_views}
    return TransReID(FORM, num_classes, loss, sie=sie, **sizes)  # type: ignore[arg-type]


def numbered(root: Path, folder: str, first: int = 10) -> data.Splits:
    """Return the tiny dataset, its cameras 1 and 2 numbered 10 and 20, or from another number."""
    splits = (SampleTable.of(each) for each in data.from_folders(root / folder))
    return data.Splits(
        *(
            SampleTable.of([(path, pid, first + 10 * (camid - 1)) for path, pid, camid, _ in table])
            for table in splits
        )
    )


class World:
    """The toy network, two datasets, and what the network was told of each batch."""

    def __init__(self) -> None:
        self.seen: dict[str, list[torch.Tensor]] = {}
        self.drawn: dict[str, torch.Tensor] = {}

    @hookimpl
    def reid_register_models(self, registry: Any) -> None:
        registry.add("toy", toy)

    @hookimpl
    def reid_register_datasets(self, registry: Any) -> None:
        for name in ("here", "there"):
            registry.add(name, lambda root, name=name: numbered(root, name))
        registry.add("renumbered", lambda root: numbered(root, "there", 50))

    @hookimpl(wrapper=True)
    def reid_extract_features(self, model: nn.Module, images: Any, labels: Any) -> Any:
        (side,) = side_information_in(model)
        place = "there" if "there" in str(labels["impath"][0]) else "here"
        with torch.no_grad():
            self.seen.setdefault(place, []).append(side(labels["camid"]))
        return (yield)

    @hookimpl
    def reid_target_tested(self, engine: Any, tested: Any) -> None:
        (side,) = side_information_in(engine.model)
        with torch.no_grad():
            self.drawn[tested.name] = side(torch.as_tensor(tested.query.table.camids))


def run(tmp_path: Path, *overrides: str) -> tuple[World, Any]:
    for name in ("here", "there"):
        fake_dataset(tmp_path / name)
    world = World()
    settings = [
        *("model.name=toy", "model.sie=camera", "data.sources=[here]", "train.max_epoch=1"),
        *(f"data.root={tmp_path}", "data.height=32", "data.width=16", "data.transforms=[]"),
        *overrides,
    ]
    return world, tiny_run(world, save_dir=tmp_path / "log", overrides=settings).engine


def test_the_targets_of_other_cameras_are_compared_without(tmp_path, caplog) -> None:
    with caplog.at_level(logging.WARNING):
        world, engine = run(tmp_path, "data.targets=[here, there]")
    (side,) = side_information_in(engine.model)
    assert side.camid_numbers.tolist() == [10, 20]
    assert all(vectors.any(1).all() for vectors in world.seen["here"])
    assert not any(vectors.any() for vectors in world.seen["there"])
    assert world.drawn["here"].any(1).all()
    assert not world.drawn["there"].any()
    told = [r.message for r in caplog.records if "learns nothing" in r.message]
    assert told == [
        "Of the cameras of there the model learns nothing, so that their images are compared "
        "without side information"
    ]


def test_of_several_sources_the_first_keeps_its_numbers(tmp_path) -> None:
    sources = "data.sources=[here, there]"
    world, engine = run(tmp_path, sources, "data.targets=[here, there]")
    (side,) = side_information_in(engine.model)
    assert side.camid_numbers[:2].tolist() == [10, 20]
    assert len(side.table) == 4
    assert all(vectors.any(1).all() for vectors in world.seen["here"])
    assert not any(vectors.any() for vectors in world.seen["there"])


def test_a_test_keeps_the_numbers_of_its_checkpoint(tmp_path) -> None:
    run(tmp_path, "data.targets=[here]")
    weights = next((tmp_path / "log").glob("model.pth.tar-*"))
    held = torch.load(weights, weights_only=False)["state_dict"]
    assert held["side.camid_numbers"].tolist() == [10, 20]
    data_of_others = ("data.sources=[renumbered]", "data.targets=[there]")
    test = ("test.evaluate=true", f"model.load_weights={weights}", *data_of_others)
    world, engine = run(tmp_path, *test)
    (side,) = side_information_in(engine.model)
    assert side.camid_numbers.tolist() == [10, 20]
    assert not any(vectors.any() for vectors in world.seen["there"])


def test_a_test_elsewhere_goes_by_what_the_weights_learnt_from(tmp_path) -> None:
    run(tmp_path, "data.targets=[here]")
    weights = next((tmp_path / "log").glob("model.pth.tar-*"))
    test = ("test.evaluate=true", f"model.load_weights={weights}")
    elsewhere = ("data.sources=[there]", "data.targets=[there, here]")
    world, _ = run(tmp_path, *test, *elsewhere)
    assert not any(vectors.any() for vectors in world.seen["there"])
    assert all(vectors.any(1).all() for vectors in world.seen["here"])


def test_without_side_information_nothing_is_told(tmp_path, caplog) -> None:
    for name in ("here", "there"):
        fake_dataset(tmp_path / name)

    class Bare(World):
        @hookimpl(wrapper=True)
        def reid_extract_features(self, model: nn.Module, images: Any, labels: Any) -> Any:
            return (yield)

        @hookimpl
        def reid_target_tested(self, engine: Any, tested: Any) -> None:
            assert side_information_in(engine.model) == []

    settings = [
        *("model.name=toy", "data.sources=[here]", "data.targets=[there]", "train.max_epoch=1"),
        *(f"data.root={tmp_path}", "data.height=32", "data.width=16", "data.transforms=[]"),
    ]
    with caplog.at_level(logging.WARNING):
        engine = tiny_run(Bare(), save_dir=tmp_path / "log", overrides=settings).engine
    assert "side information" not in caplog.text
    assert "transformers.familiarity" not in [each.name for each in engine.plugins.active]


@pytest.mark.parametrize(("sie", "instead"), [("view", "none"), ("both", "camera")])
def test_a_dataset_without_viewpoints_is_refused(tmp_path, sie, instead) -> None:
    with pytest.raises(Exception, match=rf"viewpoints .* none\. .*model\.sie={instead}\b"):
        run(tmp_path, f"model.sie={sie}", "data.targets=[here]")
