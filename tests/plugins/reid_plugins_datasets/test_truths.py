"""What the maker of miniature trees says of them, for further seeds: people, pictures, cameras."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from reidcore.data import init_image_dataset, init_video_dataset
from reidcore.data.card import card_of
from reidcore.registry import find

OPEN = {"image": init_image_dataset, "video": init_video_dataset}


@dataclass(frozen=True)
class Truth:
    """What a tree holds, whatever its seed.

    Attributes:
        key: the dataset's name.
        ids: how many identities train, query and gallery have.
        pictures: for each split (or several, joined by +) which pictures it has, as patterns of
            paths below the data root.
        cameras: how many there are; numbers run below that.
        options: the dataset's options.
        place: the data root below the tree.
    """

    key: str
    ids: tuple[int, int, int]
    pictures: dict[str, str | tuple[str, ...]]
    cameras: int
    options: dict[str, Any] = field(default_factory=dict)
    place: str = ""


def market_layout(base: str) -> dict[str, str | tuple[str, ...]]:
    return {
        "train": f"{base}/bounding_box_train/*",
        "query": f"{base}/query/*",
        "gallery": f"{base}/bounding_box_test/[0-9]*",
    }


def by_folder(train: str, query: str, gallery: str) -> dict[str, str | tuple[str, ...]]:
    return {"train": train, "query": query, "gallery": gallery}


MARKET = market_layout("market1501/Market-1501-v15.09.15")
FLAT = market_layout("alt/market1501_flat/market1501")
MSMT = {"train": "*/train/*", "query+gallery": "*/test/*"}
MASKED = {"train": "*/mask_train_v2/*", "query+gallery": "*/mask_test_v2/*"}
ALL = "train+query+gallery"
UNIVERSITY = "university1652/University-Release"

TRUTHS: dict[str, tuple[Truth, ...]] = {
    "cuhk01": (Truth("cuhk01", (5, 6, 6), {ALL: "*"}, 2),),
    "cuhk02": (
        Truth(
            "cuhk02",
            (12, 5, 5),
            {"train": "*/P[1-4]/*", "query": "*/P5/cam1/*", "gallery": "*/P5/cam2/*"},
            10,
        ),
    ),
    "cuhk03": (
        Truth("cuhk03", (9, 8, 8), {}, 2),
        Truth("cuhk03", (9, 8, 8), {}, 2, {"labeled_images": True}),
        Truth("cuhk03", (13, 4, 4), {}, 2, {"classic_split": True, "split_id": 7}),
    ),
    "cuhksysu": (Truth("cuhksysu", (6, 0, 0), {"train": "*"}, 1),),
    "dukemtmcreid": (
        Truth("dukemtmcreid", (6, 6, 9), market_layout("dukemtmc-reid/DukeMTMC-reID"), 8),
    ),
    "grid": (Truth("grid", (125, 125, 126), {ALL: "*"}, 8, {"split_id": 9}),),
    "ilids": (Truth("ilids", (59, 60, 60), {}, 2),),
    "market1501": (
        Truth("market1501", (6, 6, 7), MARKET, 6),
        Truth(
            "market1501",
            (6, 6, 7),
            {**MARKET, "gallery": (str(MARKET["gallery"]), "*/images/0*")},
            6,
            {"market1501_500k": True},
        ),
    ),
    "market1501_flat": (Truth("market1501", (6, 6, 7), FLAT, 6, place="alt/market1501_flat"),),
    "msmt17": (Truth("msmt17", (6, 5, 5), MSMT, 15, {"use_val": True}),),
    "msmt17_v2": (
        Truth("msmt17", (5, 4, 4), MASKED, 15, {"use_val": True}, place="alt/msmt17_v2"),
    ),
    "prid": (Truth("prid", (100, 100, 649), {}, 2),),
    "sensereid": (
        Truth(
            "sensereid", (0, 5, 9), {"query": "*/test_probe/*", "gallery": "*/test_gallery/*"}, 4
        ),
    ),
    "university1652": (
        Truth(
            "university1652",
            (4, 3, 5),
            {
                "train": f"{UNIVERSITY}/train/*",
                "query": f"{UNIVERSITY}/test/query_drone/*",
                "gallery": f"{UNIVERSITY}/test/gallery_satellite/*",
            },
            4,
        ),
        Truth(
            "university1652",
            (4, 3, 5),
            {
                "query": f"{UNIVERSITY}/test/query_satellite/*",
                "gallery": f"{UNIVERSITY}/test/gallery_street/*",
            },
            4,
            {"query_view": "satellite", "gallery_view": "street"},
        ),
    ),
    "dukemtmcvidreid": (
        Truth("dukemtmcvidreid", (4, 5, 7), by_folder("*/train/*", "*/query/*", "*/gallery/*"), 8),
    ),
    "dukemtmcvidreid_old": (
        Truth(
            "dukemtmcvidreid",
            (4, 5, 7),
            by_folder("*/train/*", "*/query/*", "*/gallery/*"),
            8,
            place="alt/dukemtmcvidreid_old",
        ),
    ),
    "ilidsvid": (Truth("ilidsvid", (150, 150, 150), {ALL: "*/sequences/*"}, 2, {"split_id": 9}),),
    "last": (
        Truth("last", (4, 3, 3), by_folder("*/train/*", "*/test/query/*", "*/test/gallery/*"), 99),
        Truth(
            "last",
            (4, 2, 2),
            by_folder("*/train/*", "*/val/query/*", "*/val/gallery/*"),
            99,
            {"part": "val"},
        ),
    ),
    "ltcc": (Truth("ltcc", (4, 4, 4), by_folder("*/train/*", "*/query/*", "*/test/*"), 12),),
    "mars": (
        Truth(
            "mars",
            (5, 5, 5),
            {"train": "*/bbox_train/*", "query+gallery": "*/bbox_test/[01][0-9][0-9][0-9]/*"},
            6,
        ),
    ),
    "occluded_duke": (Truth("occluded_duke", (6, 6, 9), market_layout("Occluded_Duke"), 8),),
    "occluded_reid": (
        Truth("occluded_reid", (0, 4, 4), {"query": "*/query/*", "gallery": "*/gallery/*"}, 2),
    ),
    "partial_ilids": (
        Truth("partial_ilids", (0, 7, 7), {"query": "*/query/*", "gallery": "*/gallery/*"}, 2),
    ),
    "partial_reid": (
        Truth(
            "partial_reid",
            (0, 5, 5),
            {"query": "*/partial_body_images/*", "gallery": "*/whole_body_images/*"},
            2,
        ),
    ),
    "prcc": (
        Truth("prcc", (4, 4, 4), by_folder("*/rgb/train/*", "*/rgb/test/C/*", "*/rgb/test/A/*"), 3),
        Truth(
            "prcc",
            (4, 4, 4),
            {"train": ("*/rgb/train/*", "*/rgb/val/*"), "query": "*/rgb/test/B/*"},
            3,
            {"query": "same", "use_val": True, "single_shot": True, "split_id": 9},
        ),
    ),
    "prid2011": (Truth("prid2011", (4, 5, 5), {}, 2, {"split_id": 9}),),
    "vehicleid": (
        Truth("vehicleid", (4, 7, 7), {ALL: "*"}, 221_764, {"size": "all", "split_id": 9}),
        Truth("vehicleid", (4, 5, 5), {}, 221_764, {"size": 3200}),
    ),
    "veri": (Truth("veri", (5, 5, 5), by_folder("*/image_train/*", "*_query/*", "*_test/*"), 20),),
    "veriwild": (
        Truth("veriwild", (4, 2, 2), {}, 175, {"size": "small"}),
        Truth("veriwild", (4, 5, 5), {ALL: "*"}, 175, {"size": "large"}),
    ),
    "viper": (Truth("viper", (15, 16, 16), {ALL: "*"}, 2, {"split_id": 19}),),
}


def truth_params() -> Iterable[Any]:
    for layout, truths in TRUTHS.items():
        for truth in truths:
            for seed in (1, 2):
                yield pytest.param(layout, truth, seed, id=f"{layout}-{truth.options}-{seed}")


def frames_of(samples: Iterable[Any], root: Path) -> set[str]:
    """Return all pictures of images or tracklets, as paths below the data root."""
    return {
        Path(frame).relative_to(root).as_posix()
        for sample in samples
        for frame in ((sample.path,) if isinstance(sample.path, str) else sample.path)
    }


@pytest.mark.parametrize(("layout", "truth", "seed"), list(truth_params()))
def test_another_seed_holds_what_its_maker_says(layout, truth, seed, planted):
    tree = planted(layout, seed)
    card = card_of(find("datasets", truth.key).load())
    found = OPEN[card.data_type](truth.key, root=tree.root / truth.place, **truth.options)
    splits = {split: list(getattr(found, split)) for split in ("train", "query", "gallery")}
    assert tuple(len({s.pid for s in samples}) for samples in splits.values()) == truth.ids
    assert {s.camid for samples in splits.values() for s in samples} <= set(range(truth.cameras))
    frames = {split: frames_of(samples, tree.root) for split, samples in splits.items()}
    assert not frames["train"] & (frames["query"] | frames["gallery"])
    for names, patterns in truth.pictures.items():
        wanted = patterns if isinstance(patterns, tuple) else (patterns,)
        expected = {path for path in tree.images if any(fnmatch(path, p) for p in wanted)}
        assert set().union(*(frames[name] for name in names.split("+"))) == expected
        assert expected


CAMERAS_IN_PATHS = {
    "market1501": r"_c(\d)s",
    "occluded_duke": r"_c(\d)_",
    "mars": r"C(\d)T",
    "veri": r"_c0*(\d+)_",
    "prcc": r"/([ABC])[_/]",
    "ltcc": r"_c(\d+)_",
}


@pytest.mark.parametrize("name", CAMERAS_IN_PATHS)
def test_cameras_are_called_as_the_files_number_them(name, planted):
    tree = planted(next(layout for layout, truths in TRUTHS.items() if truths[0].key == name), 1)
    truth = next(truth for truths in TRUTHS.values() for truth in truths if truth.key == name)
    card = card_of(find("datasets", name).load())
    found = OPEN[card.data_type](name, root=tree.root / truth.place, **truth.options)
    for table in (found.train, found.query, found.gallery):
        for sample in table:
            frame = sample.path if isinstance(sample.path, str) else sample.path[0]
            below = Path(frame).relative_to(tree.root).as_posix()
            assert table.names.camid(sample.camid) == re.search(CAMERAS_IN_PATHS[name], below)[1]
