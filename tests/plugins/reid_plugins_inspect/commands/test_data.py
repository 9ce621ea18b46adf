"""``reidcore data`` as users run it."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.program import Program


@pytest.fixture
def here(here: Program) -> Program:
    """Run ``reidcore data`` in an empty folder."""
    return partial(here, "data")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of train/, query/ and gallery/, two identities each by two cameras."""
    folder = tmp_path_factory.mktemp("data") / "shop"
    rng = np.random.default_rng(0)
    for split, pids, cameras in (
        ("train", (1, 2), (1, 2)),
        ("query", (3, 4), (1,)),
        ("gallery", (3, 4), (1, 2)),
    ):
        (folder / split).mkdir(parents=True)
        for pid in pids:
            for camera in cameras:
                pixels = rng.integers(0, 256, (9, 9, 3), dtype=np.uint8)
                picture = Image.fromarray(pixels).resize((40, 80), Image.Resampling.BICUBIC)
                picture.save(folder / split / f"{pid:04d}_c{camera}_{split}.png")
    return folder


@pytest.fixture
def damaged(shop: Path, tmp_path: Path) -> Path:
    """A copy with an empty file, and a test image among the training images."""
    folder = shutil.copytree(shop, tmp_path / "damaged")
    (folder / "gallery/0004_c2_gallery.png").write_bytes(b"")
    shutil.copy(folder / "query/0003_c1_query.png", folder / "train/0001_c1_copy.png")
    return folder


def test_check_of_a_sound_folder(here, shop: Path) -> None:
    done = here("check", "--folder", shop)
    assert (done.code, done.err) == (0, "")
    assert f"{shop}: 10 files" in done.out
    assert "train" in done.out
    assert "0 errors, 0 warnings, 0 notes" in done.out


def test_check_counts_errors_in_its_exit_code(here, reidcore, damaged: Path) -> None:
    done = reidcore("data", "check", "--folder", damaged, "--json", "--workers", "1")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    checks = {finding["check"]: finding["severity"] for finding in told["findings"]}
    assert checks["empty"] == checks["duplicate-in-train-and-test"] == "error"
    assert told["errors"] == 2
    plain = here("check", "--folder", damaged)
    assert plain.code == 1
    assert "error" in plain.out
    assert "0004_c2_gallery.png" in plain.out


def test_check_of_a_table_and_of_plain_pictures(here, shop: Path, tmp_path: Path) -> None:
    rows = [
        f"{split}/{file.name},{int(file.name[:4])},{file.name[6]},{split}"
        for split in ("train", "query", "gallery")
        for file in (shop / split).iterdir()
    ]
    table = shop / "images.csv"
    table.write_text("\n".join(["path,pid,camera,split", *rows]))
    done = here("check", "--csv", table, "camid=camera", "--json")
    assert done.code == 0
    assert json.loads(done.out)["splits"]["gallery"] == {"ids": 2, "images": 4, "cameras": 2}
    plain = here("check", "--folder", shop / "gallery", "--json")
    assert json.loads(plain.out)["files"] == 4


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "one dataset is wanted, none is named"),
        (("market1501", "--folder", "x"), "one dataset is wanted, 2 are named"),
        (("--folder", "nowhere"), "no folder 'nowhere'"),
        (("market1502",), "Did you mean 'market1501'"),
        (("market1501", "use_500k=1"), "no option 'use_500k'"),
        (("market1501",), "market1501"),
    ],
)
def test_what_cannot_be_opened_is_told(here, words: tuple[str, ...], told: str) -> None:
    done = here("check", *words)
    assert done.code == 2
    assert told in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("spelling", ["", "folder.", "datasets.folder."])
def test_options_are_spelled_and_read_as_a_run_reads_them(here, shop: Path, spelling: str) -> None:
    """A run wants ``folder.train=x``; a name in place of it, and a number, are refused alike."""
    words = [f"{spelling}train=query", f"{spelling}query=query", f"{spelling}gallery=gallery"]
    for named in (["--folder", shop], ["folder", "--root", shop]):
        done = here("check", *named, *words, "--json")
        assert json.loads(done.out)["splits"]["train"]["images"] == 2
        assert "Did you mean 'train'" in here("check", *named, f"{spelling}trian=query").err
        assert "expected text, not 3" in here("check", *named, f"{spelling}train=3").err
        other = here("check", *named, "train.lr=3")
        assert other.code == 2
        assert "no section 'train'. Write OPTION=VALUE or folder.OPTION=VALUE" in other.err


def test_stats_and_channels(here, shop: Path) -> None:
    done = here("stats", "--folder", shop, "--mean-std", "--json")
    told = json.loads(done.out)
    assert told["splits"]["train"]["images"] == 4
    assert told["splits"]["train"]["per_identity"]["median"] == 2
    pixels = [np.asarray(Image.open(file)) / 255 for file in (shop / "train").glob("*.png")]
    assert np.allclose(told["norm_mean"], np.mean(pixels, axis=(0, 1, 2)), atol=1e-6)
    assert np.allclose(told["norm_std"], np.std(pixels, axis=(0, 1, 2)), atol=1e-6)
    plain = here("stats", "--folder", shop, "--mean-std")
    assert "data.norm_mean=[0." in plain.out
    assert "of 4 training images" in plain.out


def test_images_are_read_as_the_options_say(here, tmp_path: Path) -> None:
    values = np.linspace(7000, 9040, 32 * 16).reshape(32, 16)
    for name in ("train", "query", "gallery"):
        (tmp_path / name).mkdir()
        file = tmp_path / name / "0001_c1_0.png"
        Image.fromarray(values.astype(np.float32)).save(file, "TIFF")
    done = here("stats", "--folder", tmp_path, "--mean-std")
    assert done.code == 2
    assert "holds float32, whose range nobody told" in done.err
    read = ["--value-range", "7000", "9040", "--reading", "viewer"]
    done = here("stats", "--folder", tmp_path, "--mean-std", *read)
    assert "data.norm_mean=[0.5000,0.5000,0.5000]" in done.out
    sheet = tmp_path / "sheet.png"
    assert here("show", "--folder", tmp_path, "-o", sheet, *read).code == 0
    assert here("check", "--folder", tmp_path, "--value-range", "9", "1").code == 2


def test_show_draws_identities_and_transforms(here, shop: Path, tmp_path: Path) -> None:
    sheet, after = tmp_path / "sheet.png", tmp_path / "after.png"
    done = here("show", "--folder", shop, "--split", "gallery", "-o", sheet)
    assert (done.code, done.err) == (0, "")
    with Image.open(sheet) as picture:
        assert f"{picture.width}x{picture.height} pixels" in done.out
    flags = ["--transforms", "random_flip,random_erase", "--ids", "2", "-o", after]
    assert here("show", "--folder", shop, *flags).code == 0
    with Image.open(after) as picture:
        assert picture.width > 7 * 96
    for words, told in (
        (("-o", "sheet.txt"), "is no picture"),
        (("--transforms", "random_flop", "-o", after), "Did you mean 'random_flip'"),
    ):
        refused = here("show", "--folder", shop, *words)
        assert refused.code == 2
        assert told in refused.err


def test_prepare_unpacks_and_says_what_is_there(here, tmp_path: Path) -> None:
    root = tmp_path / "reid-data"
    root.mkdir()
    with zipfile.ZipFile(root / "Market-1501-v15.09.15.zip", "w") as archive:
        for folder, name in (
            ("bounding_box_train", "0002_c1s1_000451_03.jpg"),
            ("query", "0001_c1s1_001051_00.jpg"),
            ("bounding_box_test", "0001_c2s1_001051_00.jpg"),
        ):
            archive.writestr(f"Market-1501-v15.09.15/{folder}/{name}", b"picture")
    done = here("prepare", "market1501", "--root", root)
    assert done.code == 0, done.err
    assert "licence:" in done.out
    assert "Market-1501-v15.09.15.zip: unpacked (3 files, 21 bytes)" in done.out
    assert "train: 1 id, 1 image, 1 camera" in done.out
    assert "unlike the official release: train has 1 image (12,936)" in done.err
    again = here("prepare", "market1501", "--root", root)
    assert "there already" in again.out


def test_prepare_of_a_withdrawn_dataset(here) -> None:
    done = here("prepare", "dukemtmcreid")
    assert done.code == 2
    assert "withdrawn" in done.out
    assert "--accept" in done.err


def test_check_never_waits_for_a_pipe_nor_lets_a_name_steer_the_terminal(here, shop, tmp_path):
    folder = shutil.copytree(shop, tmp_path / "odd")
    os.mkfifo(folder / "train" / "0001_c1_pipe.jpg")
    (folder / "train" / "0002_c1_\x1b[2J\n\udce9.jpg").write_bytes(b"nothing")
    (folder / "train" / "loop").symlink_to("..")
    rows = ["path,pid,camid,split"]
    rows += [f"train/0001_c1_{name},1,1,train" for name in ("pipe.jpg", "train.png")]
    (folder / "t.csv").write_text("\n".join(rows))
    by_table, by_folder = (
        here("check", "--csv", folder / "t.csv"),
        here("check", "--folder", folder),
    )
    assert by_table.code == by_folder.code == 1
    assert "0001_c1_pipe.jpg (a pipe, a socket or a device, not a file)" in by_table.out
    assert "1 file left out: sockets, pipes or devices" in by_folder.out
    assert r"0002_c1_\x1b[2J\n\udce9.jpg (not an image)" in by_folder.out
    assert "\x1b[2J" not in by_folder.out + by_folder.err


def test_stats_of_plain_pictures_count_no_identities(here, tmp_path):
    Image.new("RGB", (4, 8)).save(tmp_path / "a.png")
    shown = json.loads(here("stats", "--folder", tmp_path, "--json").out)
    assert shown["splits"]["train"] == {
        "ids": None,
        "images": 1,
        "cameras": None,
        "per_identity": {},
    }
    assert here("stats", "--folder", tmp_path).out.splitlines()[-1].split() == [
        "train",
        "-",
        "1",
        "-",
    ]
