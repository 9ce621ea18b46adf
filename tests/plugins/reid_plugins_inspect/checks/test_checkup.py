"""Every check, on small datasets with one thing wrong."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from reid_plugins_inspect.checks import CheckedDataset, Finding, Report, check_dataset

from reidcore import hookimpl
from reidcore.data import VIEWER, LabelNames, LeftOut
from reidcore.data.card import Difference
from reidcore.data.table import SampleTable
from reidcore.errors import PluginError
from reidcore.plugins import make_plugins

MakeDataset = Callable[..., CheckedDataset]
Picture = Callable[..., Image.Image]

TRAIN = [("t1.png", 1, 0), ("t2.png", 1, 1), ("t3.png", 2, 0), ("t4.png", 2, 1)]
QUERY = [("q1.png", 7, 0), ("q2.png", 8, 1)]
GALLERY = [("g1.png", 7, 1), ("g2.png", 8, 0), ("g3.png", 9, 0)]


def findings(dataset: CheckedDataset) -> dict[str, tuple[str, int]]:
    report = check_dataset(dataset, workers=0)
    return {finding.check: (finding.severity, finding.count) for finding in report.findings}


def test_a_sound_dataset_has_no_findings(make_dataset: MakeDataset) -> None:
    report = check_dataset(make_dataset(TRAIN, QUERY, GALLERY), workers=0)
    assert report.findings == ()
    assert report.files == 9
    assert report.splits["gallery"] == {"ids": 3, "images": 3, "cameras": 2}
    assert report.sizes["distinct"] == 1
    assert report.sizes["height"] == {"min": 64, "median": 64, "max": 64}
    assert report.sizes["aspect"]["median"] == 2
    assert report.histograms["train"]["buckets"]["2-4"] == 2


@pytest.mark.parametrize(
    ("spoil", "check"),
    [
        (lambda file: file.write_bytes(b""), "empty"),
        (lambda file: file.write_bytes(b"hello"), "damaged"),
        (lambda file: file.write_bytes(file.read_bytes()[:-200]), "damaged"),
        (lambda file: file.unlink(), "missing"),
    ],
    ids=["empty", "text", "truncated", "missing"],
)
def test_a_file_of_no_use_is_an_error(
    make_dataset: MakeDataset, tmp_path: Path, spoil: Callable[[Path], object], check: str
) -> None:
    dataset = make_dataset(TRAIN, QUERY, GALLERY)
    spoil(tmp_path / "g3.png")
    report = check_dataset(dataset, workers=0)
    (finding,) = report.findings
    assert (finding.check, finding.severity, finding.count) == (check, "error", 1)
    assert str(tmp_path / "g3.png") in finding.examples[0]
    assert report.count("error") == 1


def test_values_of_unknown_range_and_of_a_narrow_one_are_told(
    make_dataset: MakeDataset, tmp_path: Path
) -> None:
    dataset = make_dataset(TRAIN, QUERY, GALLERY)
    thermal = np.random.default_rng(0).integers(7000, 9041, (64, 32), dtype=np.uint16)
    Image.fromarray(thermal.astype(np.float32)).save(tmp_path / "g3.png", "TIFF")
    (finding,) = check_dataset(dataset, workers=0).findings
    assert (finding.check, finding.severity) == ("range", "error")
    assert "data.value_range" in finding.advice
    assert "data.on_bad_image" not in finding.advice
    assert "holds float32" in finding.examples[0]
    told = replace(dataset, reading=VIEWER._replace(value_range=(7000, 9040)))
    assert findings(told) == {}
    Image.fromarray(thermal).save(tmp_path / "g3.png")
    assert findings(dataset) == {"narrow-range": ("warning", 1)}


def test_an_image_of_too_many_pixels_is_damage(
    make_dataset: MakeDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = make_dataset(TRAIN, QUERY, GALLERY)
    Image.new("RGB", (100, 200)).save(tmp_path / "g3.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 15_000)
    (finding,) = check_dataset(dataset, workers=0).findings
    assert (finding.check, finding.count) == ("damaged", 1)
    assert "100x200 pixels, and at most 15,000 are read" in finding.examples[0]


@pytest.mark.parametrize(
    ("name", "check", "severity"),
    [
        ("q1.png", "duplicate-in-train-and-test", "error"),
        ("t3.png", "duplicate-of-two-identities", "error"),
        ("t2.png", "duplicate", "warning"),
    ],
)
def test_the_same_file_twice(
    make_dataset: MakeDataset, tmp_path: Path, name: str, check: str, severity: str
) -> None:
    dataset = make_dataset(TRAIN, QUERY, GALLERY)
    shutil.copy(tmp_path / "t1.png", tmp_path / name)
    assert findings(dataset) == {check: (severity, 1)}


@pytest.mark.parametrize(
    ("train", "check", "severity"),
    [
        ([*TRAIN, ("q1.png", 2, 3)], "duplicate-in-train-and-test", "error"),
        ([*TRAIN, ("t1.png", 2, 0)], "duplicate-of-two-identities", "error"),
        ([*TRAIN, TRAIN[0]], "duplicate", "warning"),
    ],
)
def test_a_file_that_is_listed_twice(
    make_dataset: MakeDataset,
    tmp_path: Path,
    train: list[tuple[str, int, int]],
    check: str,
    severity: str,
) -> None:
    dataset = make_dataset(train, QUERY, GALLERY)
    (finding,) = check_dataset(dataset, workers=0).findings
    assert (finding.check, finding.severity, finding.count) == (check, severity, 1)
    assert finding.examples == (f"{tmp_path / train[-1][0]} (listed 2 times)",)
    assert "(2 images in all)" in finding.message


def test_a_table_that_was_pasted_twice_has_each_file_twice(make_dataset: MakeDataset) -> None:
    twice = make_dataset(TRAIN * 2, QUERY * 2, GALLERY * 2)
    assert findings(twice) == {"duplicate": ("warning", 9)}


def test_a_file_of_no_use_that_is_listed_twice_equals_no_other(
    make_dataset: MakeDataset, tmp_path: Path
) -> None:
    dataset = make_dataset([*TRAIN, TRAIN[0]], QUERY, GALLERY)
    for name in ("t1.png", "g3.png"):
        (tmp_path / name).write_bytes(b"")
    assert findings(dataset) == {"empty": ("error", 2), "duplicate": ("warning", 1)}


@pytest.mark.parametrize(
    ("name", "check", "severity"),
    [
        ("q1.png", "near-duplicate-in-train-and-test", "warning"),
        ("t3.png", "near-duplicate-of-two-identities", "warning"),
        ("t2.png", "near-duplicate", "note"),
    ],
)
def test_nearly_the_same_picture_twice(
    make_dataset: MakeDataset,
    tmp_path: Path,
    picture: Picture,
    name: str,
    check: str,
    severity: str,
) -> None:
    dataset = make_dataset(TRAIN, QUERY, GALLERY)
    picture(4).save(tmp_path / "t1.png")
    picture(4).resize((48, 96)).save(tmp_path / name)
    assert findings(dataset) == {check: (severity, 1)}
    picture(4).save(tmp_path / name, "JPEG", quality=60)
    assert findings(dataset) == {check: (severity, 1)}


def test_an_identity_that_is_learnt_and_tested(make_dataset: MakeDataset) -> None:
    leaking = [*TRAIN, ("t5.png", 7, 0), ("t6.png", 7, 1)]
    assert findings(make_dataset(leaking, QUERY, GALLERY)) == {
        "identity-in-train-and-test": ("error", 1)
    }
    assert findings(make_dataset(leaking, QUERY, GALLERY, pids_apart=True)) == {}


def test_findings_call_identities_by_their_names(make_dataset: MakeDataset) -> None:
    dataset = make_dataset([*TRAIN, ("t5.png", 9, 0)], QUERY, GALLERY)
    names = LabelNames({9: "anna"})
    named = {split: replace(table, names=names) for split, table in dataset.splits.items()}
    report = check_dataset(replace(dataset, **named), workers=0)
    shown = {finding.check: finding.examples for finding in report.findings}
    assert shown == {
        "identity-in-train-and-test": ("identity anna",),
        "single-image-identity": ("identity anna",),
    }


def test_distractors_of_identity_0_leak_nothing(make_dataset: MakeDataset) -> None:
    train = [*TRAIN, ("t5.png", 0, 0), ("t6.png", 0, 1)]
    background = [*GALLERY, ("g4.png", 0, 0)]
    assert findings(make_dataset(train, QUERY, background)) == {}
    searched = [*QUERY, ("q3.png", 0, 1)]
    assert "identity-in-train-and-test" in findings(make_dataset(train, searched, background))


def test_queries_that_cannot_be_found(make_dataset: MakeDataset) -> None:
    own_camera = [*QUERY, ("q3.png", 9, 0)]
    assert findings(make_dataset(TRAIN, own_camera, GALLERY)) == {
        "query-under-one-camera": ("warning", 1)
    }
    stranger = [*QUERY, ("q3.png", 99, 0)]
    assert findings(make_dataset(TRAIN, stranger, GALLERY)) == {
        "query-without-match": ("warning", 1)
    }
    nobody = [("q3.png", 99, 0), ("q4.png", 98, 1)]
    assert findings(make_dataset(TRAIN, nobody, GALLERY)) == {"query-without-match": ("error", 2)}


def test_a_single_camera_has_its_protocol(make_dataset: MakeDataset) -> None:
    query = [(name, pid, 5) for name, pid, _ in QUERY]
    gallery = [(name, pid, 5) for name, pid, _ in GALLERY]
    report = check_dataset(make_dataset(TRAIN, query, gallery), workers=0)
    (finding,) = report.findings
    assert (finding.check, finding.severity) == ("single-camera", "warning")
    assert "test.protocol=any_camera" in finding.advice


def test_a_query_that_is_in_the_gallery_is_noted(make_dataset: MakeDataset) -> None:
    found = findings(make_dataset(TRAIN, QUERY, [*GALLERY, QUERY[0]]))
    assert found == {"query-in-gallery": ("note", 1)}


def test_a_query_in_the_gallery_is_known_under_all_its_names(
    make_dataset: MakeDataset, tmp_path: Path
) -> None:
    make_dataset(TRAIN, QUERY, GALLERY)
    (tmp_path / "link.png").hardlink_to(tmp_path / QUERY[0][0])
    (tmp_path / "copy.png").write_bytes((tmp_path / QUERY[0][0]).read_bytes())
    name, pid, camid = QUERY[0]
    gallery = [*GALLERY, ("link.png", pid, camid + 1), (name, pid, camid), ("copy.png", pid, 9)]
    report = check_dataset(make_dataset(TRAIN, QUERY, gallery), workers=0)
    found = {finding.check: finding for finding in report.findings}
    same, copied = found["query-in-gallery"], found["query-copied-in-gallery"]
    assert (same.severity, same.count) == ("note", 1)
    assert "ignores 1 of these pairs" in same.advice
    assert "leaves out the other 1, under any_camera all 2" in same.advice
    assert (copied.severity, copied.count) == ("warning", 1)
    assert "ranks the other 1, any_camera ranks all 1" in copied.advice
    assert copied.examples == (f"{tmp_path / name} = {tmp_path / 'copy.png'}",)


def test_what_a_dataset_leaves_out_is_found(make_dataset: MakeDataset) -> None:
    left_out = (
        LeftOut("images", "they do not match", 4, ("a.jpg", "b.jpg", "c.jpg"), 9),
        LeftOut("images of identity -1", "junk", 1, ("-1_c1.jpg",), expected=True),
    )
    train = [*TRAIN, ("nobody.png", -3, 0)]
    report = check_dataset(make_dataset(train, QUERY, GALLERY, left_out=left_out), workers=0)
    assert [(f.check, f.severity, f.count) for f in report.findings] == [
        ("left-out", "warning", 4),
        ("negative-identity", "warning", 1),
        ("left-out", "note", 1),
    ]
    assert report.findings[0].examples == ("a.jpg", "b.jpg", "c.jpg")
    assert report.findings[0].message == "4 of 9 images left out: they do not match"
    assert report.findings[2].message == "1 image of identity -1 left out: junk"


def test_identities_with_one_image_and_tiny_pictures(
    make_dataset: MakeDataset, tmp_path: Path, picture: Picture
) -> None:
    dataset = make_dataset([*TRAIN, ("t5.png", 3, 0)], QUERY, GALLERY)
    picture(77, (8, 20)).save(tmp_path / "g1.png")
    assert findings(dataset) == {
        "tiny": ("warning", 1),
        "single-image-identity": ("note", 1),
    }


def test_official_counts_are_a_warning(make_dataset: MakeDataset) -> None:
    differences = [Difference("train", "images", 4, 12_936)]
    report = check_dataset(make_dataset(TRAIN, QUERY, GALLERY, differences=differences), workers=0)
    (finding,) = report.findings
    assert (finding.check, finding.severity) == ("official-counts", "warning")
    assert finding.examples == ("train has 4 images (12,936)",)


def test_frames_of_tracklets_are_examined_each(make_dataset: MakeDataset, tmp_path: Path) -> None:
    dataset = make_dataset(TRAIN, QUERY, GALLERY)
    names = [str(tmp_path / name) for name, *_ in TRAIN]
    walks = SampleTable.of([(tuple(names[:3]), 1, 0), (tuple(names[3:]), 1, 1)])
    (tmp_path / "t2.png").write_bytes(b"")
    clips = CheckedDataset("walks", walks, dataset.query, dataset.gallery, unit="tracklets")
    report = check_dataset(clips, workers=0)
    assert report.files == 9
    assert [finding.check for finding in report.findings] == ["empty"]


def test_the_report_is_json_and_the_worst_comes_first(
    make_dataset: MakeDataset, tmp_path: Path
) -> None:
    dataset = make_dataset([*TRAIN, ("t5.png", 3, 0)], [*QUERY, ("q9.png", 99, 0)], GALLERY)
    (tmp_path / "t1.png").write_bytes(b"")
    report: Report = check_dataset(dataset, workers=0)
    told = json.loads(json.dumps(report.as_dict()))
    assert [finding["severity"] for finding in told["findings"]] == ["error", "warning", "note"]
    assert (told["errors"], told["warnings"], told["files"]) == (1, 1, 11)


def test_pictures_without_labels_have_no_identities(
    make_dataset: MakeDataset, tmp_path: Path
) -> None:
    rows = [(f"{number}.png", 0, 0) for number in range(3)]
    dataset = make_dataset(rows, labelled=False)
    shutil.copy(tmp_path / "0.png", tmp_path / "2.png")
    assert findings(dataset) == {"duplicate": ("warning", 1), "unlabelled": ("note", 3)}


# -- checks of other plugins -----------------------------------------------------------------------


class LandscapeCheck:
    """A third party's plugin that adds a check."""

    @hookimpl(optionalhook=True)
    def reid_check_data(self, dataset, image_stats):
        wide = (image_stats["width"] > image_stats["height"]).nonzero()[0]
        paths = tuple(dataset.files.paths[place] for place in wide)
        yield Finding("landscape", "error", f"{len(wide)} wide", len(wide), paths)


class FailingCheck:
    @hookimpl(optionalhook=True)
    def reid_check_data(self):
        yield Finding("before", "note", "told before it fails", 1)
        raise ValueError("no luck")


class Chatter:
    @hookimpl(optionalhook=True)
    def reid_check_data(self):
        return ["all is well"]


class Silent:
    @hookimpl(optionalhook=True)
    def reid_check_data(self):
        return None


def test_reid_check_data(make_dataset: MakeDataset, picture: Picture, tmp_path: Path) -> None:
    picture(1, size=(64, 32)).save(tmp_path / "g3.png")
    dataset = make_dataset([*TRAIN, ("alone.png", 3, 0)], QUERY, GALLERY)
    with make_plugins(extra=[LandscapeCheck(), Silent()]):
        report = check_dataset(dataset, workers=0)
    assert [finding.check for finding in report.findings] == ["landscape", "single-image-identity"]
    assert report.findings[0].examples == (str(tmp_path / "g3.png"),)


@pytest.mark.parametrize(
    ("plugin", "told"),
    [
        (FailingCheck(), "the checks of plugin 'FailingCheck' failed: ValueError: no luck"),
        (Chatter(), "the checks of plugin 'Chatter' failed: TypeError: a str is no Finding"),
    ],
)
def test_a_check_that_fails_costs_the_others_nothing(
    make_dataset: MakeDataset, plugin: object, told: str
) -> None:
    dataset = make_dataset([*TRAIN, ("alone.png", 3, 0)], QUERY, GALLERY)
    report = check_dataset(dataset, workers=0, plugins=make_plugins(extra=[plugin]))
    assert [(each.check, each.severity) for each in report.findings] == [
        ("failed-check", "error"),
        ("single-image-identity", "note"),
    ]
    assert report.findings[0].message == told


def test_without_its_plugin_there_are_no_checks(make_dataset: MakeDataset) -> None:
    plugins = make_plugins(disabled=["inspect"])
    with pytest.raises(PluginError, match=r"plugin 'inspect' \(reidcore\) is disabled"):
        check_dataset(make_dataset(TRAIN), workers=0, plugins=plugins)
