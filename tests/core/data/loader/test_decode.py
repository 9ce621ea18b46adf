"""Reading past the datasets gives the batches that reading through them gives."""

from __future__ import annotations

import logging
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from reidcore.config.options import LoadingOptions
from reidcore.data.dataset import ImageDataset, merged
from reidcore.data.folders import from_folders
from reidcore.data.images.cache import PixelCache
from reidcore.data.loader import batch_sampler
from reidcore.data.loader.batch_sampler import FileOrder
from reidcore.data.loader.loader import (
    BatchLoader,
    Loading,
    loader_for_testing,
    loader_for_training,
)
from reidcore.data.transforms.build import build_transforms
from reidcore.data.video import VideoDataset
from reidcore.errors import ConfigError, DataError

EVERY = [
    "random_flip",
    "pad_crop",
    "random_crop",
    "random_patch",
    "auto_augment",
    "rand_augment",
    "color_jitter",
    "aug_mix",
    "gray_patch",
    "blur",
    "random_erase",
]
ON_BATCHES = ["random_flip", "pad_crop", "random_crop", "gray_patch", "blur", "random_erase"]
OFTEN: dict[str, Any] = {
    "gray_patch": {"p": 0.7},
    "blur": {"p": 0.7},
    "color_jitter": {"saturation": 0.3, "hue": 0.1},
    "auto_augment": {"p": 0.5},
    "random_erase": {"aspect": "log", "fill": "noise"},
}
CHANGED_FIRST: Any = {
    "auto_augment": {"p": 0.5, "policy": "original", "before_resize": True},
    "random_erase": {"p": 0.5},
}


class Asked(ImageDataset):
    """Overrides how an item is made, so that it must be asked."""

    def __getitem__(self, index: int) -> dict[str, Any]:
        return super().__getitem__(index)


class AskedForClips(VideoDataset):
    def __getitem__(self, index: int) -> dict[str, Any]:
        return super().__getitem__(index)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REIDCORE_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "images"


@pytest.fixture
def splits(make_tree: Any) -> Any:
    return from_folders(make_tree(train={2: 5, 5: 4, 9: 4}, test={1: 3}))


def _pipeline(names: list[str], size: tuple[int, int] = (32, 16)) -> Any:
    return build_transforms(*size, names, **{n: OFTEN[n] for n in names if n in OFTEN})[0]


def _loader(dataset: Any, size: int = 4, **loading: Any) -> BatchLoader:
    run = {key: loading.pop(key) for key in ("seed", "cache", "start_method") if key in loading}
    options = LoadingOptions(**{"workers": 0, **loading})
    return loader_for_training(dataset, FileOrder(len(dataset)), size, Loading(options, **run))


def _batches(dataset: Any, **loading: Any) -> list[dict[str, Any]]:
    loader = _loader(dataset, **loading)
    return [batch for _ in range(2) for batch in loader]


def _assert_same(first: list[dict[str, Any]], second: list[dict[str, Any]]) -> None:
    assert len(first) == len(second) > 0
    for one, other in zip(first, second, strict=True):
        assert one.keys() == other.keys()
        assert list(one["impath"]) == list(other["impath"])
        for key in ("pid", "camid", "dsetid"):
            assert torch.equal(one[key], other[key]), key
            assert one[key].dtype == other[key].dtype == torch.int64
        views = one["img"] if isinstance(one["img"], list) else [one["img"]]
        others = other["img"] if isinstance(other["img"], list) else [other["img"]]
        for mine, theirs in zip(views, others, strict=True):
            assert mine.dtype == theirs.dtype == torch.float32
            assert mine.is_contiguous()
            assert torch.equal(mine, theirs)


def _asks(loader: BatchLoader) -> bool:
    return loader._loader.dataset.reader is None


@pytest.mark.parametrize("names", [[], ["random_flip"], EVERY])
@pytest.mark.parametrize("k_tfm", [1, 2])
def test_batches_are_the_dataset_s(splits: Any, names: list[str], k_tfm: int) -> None:
    transform = _pipeline(names).with_training_images([sample.path for sample in splits.train])
    more = {"transform": transform, "k_tfm": k_tfm, "verbose": False}
    direct, asked = ImageDataset(*splits, **more), Asked(*splits, **more)
    assert not _asks(_loader(direct))
    assert _asks(_loader(asked))
    _assert_same(_batches(direct), _batches(asked))


def test_several_sources_are_read_past_as_well(splits: Any) -> None:
    transform = _pipeline(EVERY)
    both = [ImageDataset(*splits, transform=transform, verbose=False) for _ in range(2)]
    asked = [Asked(*splits, transform=transform, verbose=False) for _ in range(2)]
    assert not _asks(_loader(merged(both)))
    assert _asks(_loader(merged([both[0], asked[0]])))
    _assert_same(_batches(merged(both)), _batches(merged(asked)))


@pytest.mark.parametrize("method", ["evenly", "random"])
@pytest.mark.parametrize("cache", ["off", "ram"])
def test_clips_are_read_past_as_well(make_tracklets: Any, method: str, cache: str) -> None:
    splits = make_tracklets(train={1: [5, 2], 2: [4, 9]})
    more = {"seq_len": 3, "sample_method": method, "verbose": False}
    more["transform"] = _pipeline(["random_flip", "random_crop", "random_erase"])
    direct, asked = VideoDataset(*splits, **more), AskedForClips(*splits, **more)
    found = _batches(direct, cache=PixelCache(cache), workers=0)
    assert found[0]["img"].shape == (4, 3, 3, 32, 16)
    _assert_same(found, _batches(asked))


@pytest.mark.parametrize("kind", ["ram", "disk"])
def test_a_cache_changes_nothing(splits: Any, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = ImageDataset(*splits, transform=_pipeline(EVERY), verbose=False)
    expected = _batches(dataset)
    _assert_same(_batches(dataset, cache=PixelCache(kind)), expected)
    _assert_same(_batches(dataset, cache=PixelCache(kind), workers=2), expected)
    if kind == "disk":  # filled by now: no file is decoded any more
        monkeypatch.setattr("reidcore.data.loader.decode.read_pixels", None)
        _assert_same(_batches(dataset, cache=PixelCache(kind)), expected)


@pytest.mark.parametrize("augment", ["image", "batch"])
def test_files_that_are_changed_before_they_are_resized(splits: Any, augment: str) -> None:
    transform = build_transforms(32, 16, [*CHANGED_FIRST, "pad_crop"], **CHANGED_FIRST)[0]
    dataset = ImageDataset(*splits, transform=transform, verbose=False)
    expected = _batches(dataset)
    _assert_same(_batches(Asked(*splits, transform=transform, verbose=False)), expected)
    _assert_same(_batches(dataset, augment=augment, cache=PixelCache("ram"), workers=2), expected)


@pytest.mark.parametrize("names", [ON_BATCHES, EVERY, ["random_flip", "color_jitter"]])
@pytest.mark.parametrize("k_tfm", [1, 3])
def test_per_image_and_per_batch_agree(splits: Any, names: list[str], k_tfm: int) -> None:
    """To the bit on a CPU, where both compute alike; elsewhere within the rounding to bytes."""
    dataset = ImageDataset(*splits, transform=_pipeline(names), k_tfm=k_tfm, verbose=False)
    loader = _loader(dataset, augment="batch")
    assert bool(loader._loader.dataset.reader.pipeline.on_batches)
    _assert_same(_batches(dataset, augment="batch"), _batches(dataset))


@pytest.mark.parametrize("augment", ["image", "batch"])
def test_workers_and_a_resume_change_nothing(splits: Any, augment: str) -> None:
    dataset = ImageDataset(*splits, transform=_pipeline(EVERY), verbose=False)
    expected = _batches(dataset, augment=augment)
    _assert_same(_batches(dataset, augment=augment, workers=2), expected)
    resumed = _loader(dataset, augment=augment, workers=1)
    resumed.set_epoch(1, skip=1)
    _assert_same(list(resumed), expected[4:])


def test_spawned_workers_give_the_same(splits: Any) -> None:
    dataset = ImageDataset(*splits, transform=_pipeline(ON_BATCHES), verbose=False)
    cache = PixelCache("ram", forked=False)
    found = _batches(dataset, workers=1, start_method="spawn", cache=cache)
    _assert_same(found, _batches(dataset))


def _spoil(splits: Any, row: int) -> str:
    path = splits.train[row].path
    Path(path).write_bytes(Path(path).read_bytes()[:60])
    return str(path)


@pytest.mark.parametrize("augment", ["image", "batch"])
@pytest.mark.parametrize("kind", ["off", "ram", "disk"])
@pytest.mark.parametrize("workers", [0, 1])
def test_a_bad_image_is_named_or_skipped(
    splits: Any, augment: str, kind: str, workers: int, caplog: pytest.LogCaptureFixture
) -> None:
    path = _spoil(splits, 5)
    names = ["random_flip", "random_erase"]
    dataset = ImageDataset(*splits, transform=_pipeline(names), verbose=False)
    how: dict[str, Any] = {"augment": augment, "workers": workers}
    with pytest.raises(DataError, match="cannot read the image") as caught:
        list(_loader(dataset, cache=PixelCache(kind), **how))
    assert path in str(caught.value)
    loader = _loader(dataset, cache=PixelCache(kind), on_bad_image="skip", **how)
    with caplog.at_level(logging.WARNING, "reidcore"):
        for _ in range(2):
            sizes = [len(batch["img"]) for batch in loader]
            assert sizes == [4, 3, 4]
    assert set(loader.skipped) == {path}
    (told,) = caplog.messages
    assert told.startswith(f"1 image left out (unreadable): '{path} (")


def test_an_image_that_goes_bad_is_not_taken_from_the_cache(splits: Any) -> None:
    dataset = ImageDataset(*splits, transform=_pipeline([]), verbose=False)
    loader = _loader(dataset, cache=PixelCache("ram"))
    list(loader)
    path = _spoil(splits, 2)
    with pytest.raises(DataError, match=Path(path).name):
        list(loader)
    Path(path).unlink()
    with pytest.raises(DataError, match="No such file"):
        list(loader)


def test_a_batch_without_a_readable_image_is_not_given(splits: Any) -> None:
    paths = {_spoil(splits, row) for row in range(4)}
    dataset = ImageDataset(*splits, transform=_pipeline(["random_flip"]), verbose=False)
    loader = _loader(dataset, on_bad_image="skip")
    assert [len(batch["pid"]) for batch in loader] == [4, 4]
    assert set(loader.skipped) == paths


def test_a_cache_that_cannot_be_written_is_told_and_done_without(
    splits: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("REIDCORE_HOME", str(tmp_path / "file"))
    dataset = ImageDataset(*splits, transform=_pipeline([]), verbose=False)
    with caplog.at_level(logging.WARNING, "reidcore"):
        found = _batches(dataset, cache=PixelCache("disk"))
    assert "The image cache cannot be used" in caplog.text
    assert "REIDCORE_HOME" in caplog.text
    _assert_same(found, _batches(dataset))


def test_what_has_no_effect_is_told(splits: Any, caplog: pytest.LogCaptureFixture) -> None:
    dataset = Asked(*splits, transform=_pipeline([]), verbose=False)
    with caplog.at_level(logging.WARNING, "reidcore"):
        _loader(dataset, augment="batch", draft=True, cache=PixelCache("ram"))
    assert "data.augment=batch and data.draft and data.cache without effect: Asked" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.WARNING, "reidcore"):
        _loader(dataset)
    assert not caplog.text


def test_a_draft_decodes_less_and_stays_close(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 256, (9, 5, 3), dtype=np.uint8))
    path = tmp_path / "a.jpg"
    coarse.resize((160, 320), Image.Resampling.BICUBIC).save(path, quality=95)
    dataset = ImageDataset([(str(path), 0, 0)], [], [], transform=_pipeline([]), verbose=False)
    (exact,) = _loader(dataset, size=1)
    (draft,) = _loader(dataset, size=1, draft=True)
    difference = (exact["img"] - draft["img"]).abs()
    assert 0 < float(difference.max()) < 0.3


def test_reading_without_chance_leaves_the_generators_alone(splits: Any) -> None:
    dataset = ImageDataset(*splits, transform=_pipeline([]), verbose=False)
    items = _loader(dataset)._loader.dataset
    assert not items.reader.is_random
    random.seed(5)
    before = random.getstate()
    items.__getitems__(next(iter(_loader(dataset).batches)))
    assert random.getstate() == before


def test_a_test_loader_reads_past_too(splits: Any) -> None:
    test = build_transforms(32, 16)[1]
    dataset = ImageDataset(*splits, transform=test, mode="gallery", verbose=False)
    asked = Asked(*splits, transform=test, mode="gallery", verbose=False)
    direct = loader_for_testing(dataset, 2, Loading())
    assert not _asks(direct)
    _assert_same(list(direct), list(loader_for_testing(asked, 2, Loading())))


def test_images_that_differ_in_size_are_an_error_that_says_so(splits: Any) -> None:
    def cut(image: Any) -> Any:
        return image.crop((0, 0, 16, random.choice([20, 24])))

    transform = _pipeline([])
    object.__setattr__(
        transform, "transforms", (transform.transforms[0], cut, transform.transforms[1])
    )
    dataset = ImageDataset(*splits, transform=transform, verbose=False)
    assert not _asks(_loader(dataset))
    with pytest.raises(DataError, match="differ in shape"):
        list(_loader(dataset, size=12))


@pytest.mark.parametrize("names", [ON_BATCHES, ["color_jitter"]])
def test_batches_are_completed_where_the_loader_is_told(splits: Any, names: list[str]) -> None:
    """On a device without any memory: what it is mixed with by mistake is refused."""
    dataset = ImageDataset(*splits, transform=_pipeline(names), verbose=False)
    loader = _loader(dataset, augment="batch")
    loader.device = torch.device("meta")
    for batch in loader:
        assert batch["img"].device.type == "meta"
        assert batch["img"].shape == (4, 3, 32, 16)
        assert batch["img"].dtype == torch.float32
        assert batch["pid"].device.type == "cpu"


@pytest.mark.parametrize("workers", [0, 1])
def test_another_transform_is_taken_up_by_the_next_epoch(splits: Any, workers: int) -> None:
    dataset = ImageDataset(*splits, transform=_pipeline([]), verbose=False)
    loader = _loader(dataset, workers=workers, cache=PixelCache("ram"))
    first = list(loader)
    dataset.transform = build_transforms(32, 16, [], [0, 0, 0], [1, 1, 1])[0]
    loader.set_epoch(0)
    _assert_same(list(loader), list(_loader(dataset)))
    dataset.transform = lambda image: torch.zeros(1)
    assert not any(batch["img"].any() for batch in loader)
    assert first[0]["img"].min() < 0


def test_two_processes_share_the_batches_of_one(
    splits: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = ImageDataset(*splits, transform=_pipeline(EVERY), verbose=False)
    alone = _batches(dataset, augment="batch")
    shares = []
    for rank in range(2):
        monkeypatch.setattr(batch_sampler, "rank_and_world", lambda rank=rank: (rank, 2))
        shares.append(_batches(dataset, augment="batch"))
    for whole, first, second in zip(alone, *shares, strict=True):
        assert torch.equal(whole["img"], torch.cat([first["img"], second["img"]]))
        assert whole["impath"] == first["impath"] + second["impath"]


def test_choices_are_checked() -> None:
    with pytest.raises(ConfigError, match=r"data\.augment is 'bach'\. Did you mean 'batch'\?"):
        LoadingOptions.checked(augment="bach")
    with pytest.raises(ConfigError, match="Did you mean 'disk'"):
        PixelCache("disc")
    with pytest.raises(ConfigError, match=r"data\.cache_gb"):
        PixelCache("ram", 0)
