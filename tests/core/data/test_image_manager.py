from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from reidcore.data import ImageDataManager, from_folders
from reidcore.data.sample import Splits
from reidcore.errors import ConfigError, DataError, UnknownNameError, UserError
from reidcore.inference.preprocessing import choose_preprocessing
from reidcore.plugins import Plugins

TORCHREID_ARGUMENTS = """
root sources targets height width transforms k_tfm norm_mean norm_std use_gpu split_id combineall
load_train_targets batch_size_train batch_size_test workers num_instances num_cams num_datasets
train_sampler train_sampler_t
"""


@pytest.fixture
def shops(
    make_tree: Callable[..., Path], plugins_with: Callable[..., Plugins]
) -> Callable[..., ImageDataManager]:
    """A manager over two shops: ids 7, 8 seen by 3 cameras, and id 4 seen by 2."""
    first = make_tree("first", train={7: 3, 8: 3}, test={1: 3, 2: 2})
    second = make_tree("second", train={4: 4}, test={9: 3}, cameras=2)
    made: list[str] = []

    def of(folder: Path) -> Callable[[Path], Splits]:
        def factory(root: Path) -> Splits:
            made.append(folder.name)
            return from_folders(folder)

        return factory

    empty = Splits([], [("q.jpg", 1, 1)], [])
    plugins = plugins_with(first=of(first), second=of(second), empty=lambda root: empty)

    def make(**arguments: Any) -> ImageDataManager:
        given = {"sources": "first", "height": 16, "width": 8, "batch_size": 2, "workers": 0}
        manager = ImageDataManager(plugins=plugins, **(given | arguments))
        manager.made = made  # type: ignore[attr-defined]
        return manager

    return make


def test_the_arguments_are_torchreids_in_their_order() -> None:
    names = list(inspect.signature(ImageDataManager).parameters)
    assert names[:21] == TORCHREID_ARGUMENTS.split()


def test_what_torchreid_s_users_find_on_it(shops: Any) -> None:
    manager = shops(batch_size=None, batch_size_train=4, batch_size_test=3)
    assert (manager.data_type, manager.sources, manager.targets) == ("image", ["first"], ["first"])
    assert (manager.num_train_pids, manager.num_train_cams) == (2, 3)
    (batch,) = manager.train_loader
    assert batch["img"].shape == (4, 3, 16, 8)
    assert set(batch["pid"].tolist()) <= {0, 1}
    query = list(manager.test_loader["first"]["query"])
    assert [len(part["pid"]) for part in query] == [3, 2]
    assert query[1]["pid"].tolist() == [2, 2]
    assert query[0]["camid"].tolist() == [1, 2, 3]
    samples, _ = manager.fetch_test_loaders("first")
    assert [path for part in query for path in part["impath"]] == [path for path, *_ in samples]
    assert manager.return_query_and_gallery_by_name("first")[0] is samples
    assert manager.test_dataset["first"]["query"] is samples
    assert manager.train_loader_t is None
    image = Image.new("RGB", (5, 5), (124, 116, 104))
    assert torch.equal(manager.preprocess_pil_img(image), manager.transform_te(image))
    assert manager.preprocess_pil_img(image).shape == (3, 16, 8)


def test_a_dataset_is_made_once(shops: Any) -> None:
    manager = shops(sources=["first", "second"], targets=["first", "second"])
    assert manager.made == ["first", "second"]


def test_sources_are_merged_apart(shops: Any) -> None:
    manager = shops(sources=["first", "second"], targets="second", batch_size=10)
    assert (manager.num_train_pids, manager.num_train_cams) == (3, 5)
    (batch,) = manager.train_loader
    of = {}
    for path, pid, camid, dsetid in zip(
        batch["impath"],
        *(batch[key].tolist() for key in ("pid", "camid", "dsetid")),
        strict=True,
    ):
        of.setdefault((Path(path).parts[-3], dsetid), set()).add((pid, camid))
    assert of == {
        ("first", 0): {(pid, camid) for pid in (0, 1) for camid in (1, 2, 3)},
        ("second", 1): {(2, 4), (2, 5)},
    }


def test_combineall_learns_from_the_sources_test_images_too(shops: Any) -> None:
    manager = shops(combineall=True)
    # Query and gallery show the same 5 images under two paths each.
    assert manager.num_train_pids == 4
    assert len(manager.train_loader.dataset) == 6 + 2 * 5
    assert len(manager.test_dataset["first"]["query"]) == 5


def test_the_targets_training_images_for_domain_adaptation(shops: Any) -> None:
    manager = shops(targets="second", load_train_targets=True)
    (first, second) = manager.train_loader_t
    assert {Path(path).parts[-3] for path in first["impath"] + second["impath"]} == {"second"}
    with pytest.raises(ConfigError, match="source and target at once"):
        shops(load_train_targets=True)


def test_random_patches_come_from_the_sources(shops: Any) -> None:
    manager = shops(sources=["first", "second"], transforms=["random_patch"])
    (patch,) = [
        step
        for step in manager.train_loader.dataset.parts[1].transform.transforms
        if hasattr(step, "paths")
    ]
    assert {Path(path).parts[-3] for path in patch.paths} == {"first", "second"}
    assert len(patch.paths) == 10


def test_several_views_of_an_image(shops: Any) -> None:
    batch = next(iter(shops(k_tfm=2, transforms="color_jitter").train_loader))
    assert [tuple(view.shape) for view in batch["img"]] == [(2, 3, 16, 8)] * 2
    assert not torch.equal(*batch["img"])


def test_sections_reach_their_components(shops: Any) -> None:
    manager = shops(transforms="random_erase", sections={"random_erase": {"p": 0}, "second": {}})
    for batch in manager.train_loader:
        for path, image in zip(batch["impath"], batch["img"], strict=True):
            expected = manager.transform_te(Image.open(path))
            torch.testing.assert_close(image, expected)


def test_fingerprints_name_every_dataset_and_split(shops: Any) -> None:
    prints = shops(sources="first", targets="second").fingerprints()
    assert {name: set(splits) for name, splits in prints.items()} == {
        "first": {"train", "query", "gallery"},
        "second": {"train", "query", "gallery"},
    }
    assert prints == shops(sources="first", targets="second").fingerprints()
    assert prints["first"]["train"] != prints["second"]["train"]


def test_the_summary_is_logged(shops: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "reidcore"):
        shops(targets="second")
    assert "=> Loaded first" in caplog.text
    assert "Sources: first (2 ids, 6 images, 3 cameras)" in caplog.text
    assert "Target: second (3 query, 3 gallery)" in caplog.text


def test_combineall_shows_what_is_learnt_from(shops: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "reidcore"):
        manager = shops(combineall=True)
    table = caplog.text[caplog.text.index("first, query and gallery combined with train") :]
    counts = [
        line.split("|")[1:] for line in table.splitlines() if " train " in line and "|" in line
    ]
    ids, images, cameras = (int(count) for count in counts[0])
    assert (ids, cameras) == (manager.num_train_pids, manager.num_train_cams)
    assert images == len(manager.train_loader.dataset)


@pytest.mark.parametrize(
    ("arguments", "classes"),
    [
        ({"sources": [], "targets": "first"}, 0),
        ({"sources": "empty", "targets": "first", "test_only": True}, 0),
        ({"sources": ["empty", "second"], "targets": "first", "test_only": True}, 1),
        ({"batch_size": 5, "test_only": True}, 2),
    ],
)
def test_testing_alone_needs_no_training_images(
    shops: Any, arguments: dict[str, Any], classes: int
) -> None:
    manager = shops(**arguments)
    assert manager.num_train_pids == classes
    assert sum(len(batch["pid"]) for batch in manager.test_loader["first"]["gallery"]) == 5
    for use in (len, iter, lambda loader: loader.set_epoch(0)):
        with pytest.raises(UserError, match="made for testing"):
            use(manager.train_loader)


def test_what_a_checkpoint_keeps_of_it(shops: Any) -> None:
    manager = shops(seed=5, norm_mean=[0.5, 0.5, 0.5])
    assert manager.seed == 5
    assert manager.preprocessing == {
        "height": 16,
        "width": 8,
        "norm_mean": [0.485, 0.456, 0.406],
        "norm_std": [0.229, 0.224, 0.225],
        "interpolation": "bilinear",
        "resize": "pillow",
        "reading": "torchreid",
    }
    assert shops(resize="torch").preprocessing["resize"] == "torch"
    read = shops(reading="viewer", value_range=[7000, 9040]).preprocessing
    assert (read["reading"], read["value_range"]) == ("viewer", [7000, 9040])


def test_bad_images_of_every_loader_are_listed(shops: Any) -> None:
    manager = shops(on_bad_image="skip")
    spoilt = [manager.train_loader.dataset.data[0][0], manager.test_dataset["first"]["query"][1][0]]
    for path in spoilt:
        Path(path).write_text("no image")
    list(manager.train_loader), list(manager.test_loader["first"]["query"])
    assert set(manager.skipped) == set(spoilt)


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        ({"sources": None}, UserError, "sources='market1501'"),
        ({"sources": "frist"}, UnknownNameError, "Did you mean 'first'"),
        ({"sources": ["first", "first"]}, ConfigError, "named twice"),
        (
            {"sources": "empty", "targets": "first"},
            DataError,
            "'empty' has no train images",
        ),
        ({"targets": "empty"}, DataError, "'empty' has no gallery images"),
        ({"batch_size": 7}, DataError, "Set train.batch_size to at most 6"),
        ({"batch_size": None, "batch_size_test": 0}, ConfigError, "Set test.batch_size"),
        ({"workers": -1}, ConfigError, "data.workers"),
        ({"k_tfm": 0}, ConfigError, "data.k_tfm"),
        ({"on_bad_image": "ignore"}, ConfigError, "data.on_bad_image"),
        ({"train_sampler": "RandomSampleer"}, UnknownNameError, "RandomSampler"),
        ({"cuhk03_labelled": True}, UserError, "has an option 'cuhk03_labelled'"),
        ({"height": -4}, ConfigError, "data.height is -4"),
        ({"save_dir": "log"}, UserError, "has an option 'save_dir'"),
        ({"sections": {"frist": {}}}, UnknownNameError, "'frist', which is no dataset"),
        ({"sections": {"frist": {}}}, UnknownNameError, "Did you mean 'first'"),
        ({"sections": {"random_erasse": {}}}, UnknownNameError, "Did you mean 'random_erase'"),
        ({"sections": {"??": {}}}, UnknownNameError, "In use: "),
    ],
)
def test_mistakes_are_refused(
    shops: Any, arguments: dict[str, Any], kind: type, words: str
) -> None:
    with pytest.raises(kind) as caught:
        shops(**({"batch_size_train": 2} | arguments))
    assert words in str(caught.value)


def test_images_are_the_files(shops: Any) -> None:
    manager = shops(norm_mean=[0, 0, 0], norm_std=[1, 1, 1], transforms=None)
    batch = next(iter(manager.test_loader["first"]["query"]))
    resized = Image.open(batch["impath"][0]).resize((8, 16), Image.Resampling.BILINEAR)
    np.testing.assert_allclose(
        batch["img"][0].permute(1, 2, 0).numpy() * 255, np.asarray(resized), atol=1e-4
    )


def test_an_extractor_frames_its_images_too(make_tree: Any) -> None:
    make_tree(name="shop", train={1: 2}, test={2: 2})
    manager = ImageDataManager(
        root=make_tree(name="root", train={1: 4, 2: 4}, test={3: 2}),
        sources="folder",
        height=64,
        width=32,
        transforms=["letterbox"],
        sections={"letterbox": {"fill": [9, 9, 9]}},
        batch_size=4,
        workers=0,
    )
    assert manager.preprocessing["letterbox"] == [9, 9, 9]
    image = Image.new("RGB", (30, 30), (200, 0, 0))
    recorded = choose_preprocessing(manager.preprocessing, None, None, None, True)
    pixels = recorded.resized(np.asarray(image))
    assert pixels[0, 0].tolist() == [9, 9, 9]
    assert pixels[32, 16].tolist() == [200, 0, 0]
