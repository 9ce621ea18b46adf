"""Several sources of one kind, from configuration to pictures; and a run without a target."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from reidcore.cli.app import main
from reidcore.inference.checkpoint_metadata import read_metadata
from reidcore.testing import fake_dataset

CONFIG = """
use_gpu: false
model: {name: osnet_x0_25, pretrained: false}
data:
  datasets:
    shop_a: {csv: a.csv}
    shop_b: {folder: b}
  sources: [shop_a, shop_b]
  targets: [shop_a, shop_b]
  workers: 0
  root: shops
  height: 32
  width: 16
train: {batch_size: 8, max_epoch: 1}
"""

Told = Callable[..., str]


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two shops, one of which has names in a table, and a run that learnt of both."""
    folder = tmp_path_factory.mktemp("named")
    for name in "ab":
        fake_dataset(folder / "shops" / name, ids=4)
    rows = ["path,pid,camid,split"]
    for split in ("train", "query", "gallery"):
        for path in sorted((folder / "shops" / "a" / split).iterdir()):
            pid, camera, _ = path.stem.split("_")
            rows.append(f"a\\{split}\\{path.name},anna {pid},gate {camera},{split}")
    (folder / "shops" / "a.csv").write_text("\n".join(rows))
    (folder / "shops.yaml").write_text(CONFIG)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for words in (["data.save_dir=log"], ["data.save_dir=untested", "data.targets=[]"]):
            with pytest.raises(SystemExit) as left:
                main(["run", "shops.yaml", *words])
            assert left.value.code == 0
    return folder


@pytest.fixture
def told(shops: Path, caplog: pytest.LogCaptureFixture, capsys, monkeypatch) -> Told:
    """Carry out a command there, and return what it said."""
    monkeypatch.chdir(shops)
    caplog.set_level("INFO")

    def told(*words: str, code: int = 0) -> str:
        caplog.clear()
        with pytest.raises(SystemExit) as left:
            main(list(words))
        said = capsys.readouterr()
        assert left.value.code == code, said.err
        return f"{caplog.text}{said.out}{said.err}"

    return told


def result(file: str) -> dict[str, object]:
    held: dict[str, object] = json.loads(Path(file).read_text())
    return held


def test_each_source_has_its_own_name_everywhere(shops: Path, told: Told) -> None:
    record = result(f"{shops}/log/results.json")
    assert list(record["targets"]) == list(record["dataset"]) == ["shop_a", "shop_b"]
    assert record["not_tested"] is None
    # A checkpoint is tested by its path alone, on the same datasets.
    said = told("test", "log/model.pth.tar-1", "test.visrank=true")
    assert "Target: shop_b" in said
    tested = result("log/test_results.json")["targets"]
    for name in ("shop_a", "shop_b"):
        assert tested[name]["mAP"] == record["targets"][name]["mAP"]
        assert Path("log", f"visrank_{name}", "overview.jpg").is_file()


def test_the_data_commands_know_the_names_of_a_configuration(told: Told) -> None:
    said = told("data", "check", "shop_a", "--config", "shops.yaml")
    assert "shop_a: 48 files" in said
    assert "0 errors" in said
    said = told("data", "stats", "shop_b", "--config", "shops.yaml", "gallery=query", "--json")
    before, _, written = said.partition("{")
    assert "1 folder left out" in before  # b/gallery, which is not read
    stats, _ = json.JSONDecoder().raw_decode("{" + written)
    assert stats["splits"]["gallery"]["images"] == 16
    said = told("data", "check", "shop_c", "--config", "shops.yaml", code=2)
    assert "Did you mean 'shop_" in said


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("data.targets=shopa", "Did you mean 'shop_a'"),
        ("data.datasets.shop_b.folder.pattrn=x", "pattrn: unknown key. Did you mean 'pattern'"),
        ("data.datasets.shop_c.cvs=x", "data.datasets.shop_c: no dataset is named 'cvs'"),
        ("data.datasets.market1501.csv=x", "market1501: a registered dataset has this name"),
        ("data.datasets.shop_b.folder.root=[1]", "root: expected a folder below data.root"),
        ("data.datasets.shop_c=3", "data.datasets.shop_c: expected"),
        ("data.datasets.shop_a.csv=no.csv", "dataset 'shop_a': there is no table"),
        ("data.datasets.shop_b.csv=a.csv", "one dataset with its place or its options"),
    ],
)
def test_mistakes_are_told_with_the_key_and_the_near_names(
    told: Told, override: str, words: str
) -> None:
    assert words in told("run", "shops.yaml", override, "data.save_dir=other", code=2)


def test_training_without_a_target_says_that_nothing_was_tested(shops: Path, told: Told) -> None:
    record = result(f"{shops}/untested/results.json")
    assert record["finished"]
    assert record["targets"] == {}
    assert record["not_tested"] == "there is no target (data.targets)"
    assert len(record["training"]) == 1
    metadata = read_metadata(shops / "untested" / "model.pth.tar-1")
    assert metadata.config["data"]["datasets"]["shop_b"] == {"folder": "b"}
    said = told("run", "shops.yaml", "data.save_dir=again", "data.targets=[]", "test.eval_freq=1")
    assert said.index("nothing will be tested") < said.index("Nothing was tested")
    assert "Nothing was tested: there is no target (data.targets)" in said
    assert not Path("again", "model-best.pth.tar").exists()
    warnings = [line for line in said.splitlines() if line.startswith("WARNING")]
    assert len([line for line in warnings if "tested" in line]) == 1


def test_what_tests_refuses_to_without_a_target(told: Told) -> None:
    checkpoint = "untested/model.pth.tar-1"
    assert "Name a dataset: -t NAME" in told("test", checkpoint, code=2)
    assert "Name a dataset: -t NAME" in told("visualize", "ranks", "--weights", checkpoint, code=2)
    assert "Name a dataset: -t NAME" in told("visualize", "actmap", "--weights", checkpoint, code=2)
    assert "shop_b" in told("test", checkpoint, "-t", "shop_b")
    neither = ("data.targets=[]", "data.sources=[]", "data.save_dir=neither")
    said = told("run", "shops.yaml", *neither, code=2)
    assert "no dataset is named" in said


def test_a_dataset_that_is_written_anew_is_not_mixed_with_the_recorded_one(
    shops: Path, told: Told
) -> None:
    anew = CONFIG.replace("shop_b: {folder: b}", "shop_b: {csv: a.csv}")
    (shops / "anew.yaml").write_text(anew)
    said = told("test", "anew.yaml", "model.load_weights=log/model.pth.tar-1", "data.save_dir=anew")
    assert "Target: shop_b" in said
    said = told("run", "anew.yaml", "--resume", "log/model.pth.tar-1", "data.save_dir=anew")
    assert "data.datasets.shop_b" in said


def test_a_protocol_that_fits_data_of_one_camera_is_named(told: Told) -> None:
    pattern = r"data.datasets.shop_b.folder={root: b, pattern: '(?P<pid>\d+)_(?P<camid>c)\d'}"
    said = told("run", "shops.yaml", pattern, "-t", "shop_b", "data.save_dir=other", code=2)
    assert "none of its 16 queries has a match" in said
    assert "test with test.protocol=any_camera" in said
