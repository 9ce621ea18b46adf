"""``reidcore runs`` as users run it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from PIL import Image

PAGE = Path(__file__).parents[3] / "docs" / "commands.md"
MODULES = "import sys; assert not {'torch', 'numpy'} & set(sys.modules), 'loaded'"


def test_ls_has_a_line_for_each_run_and_tells_of_damaged_ones(here, write_run) -> None:
    write_run("log/a", 0.123, model__name="osnet_x0_25", train__max_epoch=3)
    write_run("log/b", None, epochs=1, is_finished=False)
    write_run("log/c").joinpath("results.json").write_text("{}")
    done = here("runs", "ls")
    assert done.code == 0
    lines = done.out.splitlines()
    assert len(lines) == 3
    assert lines[1].split()[:7] == [
        *("log/a", "finished", "3/3", "osnet_x0_25"),
        *("market1501", "12.3", "12.3"),
    ]
    assert lines[2].split()[:3] == ["log/b", "stopped", "1/60"]
    assert "log/c/results.json" in done.err
    rows = json.loads(here("runs", "ls", "log/a", "--json").out)
    assert [(row["run"], row["mAP"], row["max_epoch"]) for row in rows] == [("log/a", 0.123, 3)]


def test_show_has_the_keys_that_were_changed_and_the_components_options(here, write_run) -> None:
    write_run("log/a", train__lr=0.5, train__optim="adam", adam__beta1=0.9, sgd__momentum=0.8)
    done = here("runs", "show", "log/a")
    lines = [line.split() for line in done.out.splitlines()]
    assert ["train.lr", "0.5", "0.0003"] in lines
    assert ["adam.beta1", "0.9", "-"] in lines
    assert not any("sgd" in line for line in done.out.splitlines())
    assert ["shop", "50.0", "50.0", "50.0", "50.0", "50.0", "7"] in lines
    assert ["3", "1.333", "30", "0.1", "50.0", "50.0", "2"] in lines
    changed = json.loads(here("runs", "show", "log/a", "--json").out)["changed"]
    assert changed == {"train.lr": 0.5, "adam.beta1": 0.9}


def test_show_has_the_intervals_and_what_the_figures_are(here, write_run) -> None:
    record = write_run("log/a") / "results.json"
    results = json.loads(record.read_text())
    results["targets"]["shop"] |= {
        "figures": {"auc": 0.75},
        "intervals": {"mAP": [0.4, 0.61], "auc": [0.7, 0.8], "rank1": "damaged", "mINP": [0.3]},
        "conditions": {"protocol": "verification", "ap": "plain"},
    }
    record.write_text(json.dumps(results))
    lines = [line.split() for line in here("runs", "show", "log/a").out.splitlines()]
    assert ["shop", *["50.0"] * 5, "0.75", "7"] in lines
    assert ["95", "%", "from", "40.0", "30.0", "-", "-", "-", "0.7"] in lines
    assert ["95", "%", "to", "61.0", "-", "-", "-", "-", "0.8"] in lines
    assert ["protocol", "verification"] in lines
    assert ["ap", "plain"] in lines


def test_show_of_a_folder_above_names_the_runs(here, write_run) -> None:
    write_run("log/a")
    done = here("runs", "show", "log")
    assert done.code == 2
    assert "'log/a'" in done.err


def test_compare_averages_over_seeds_in_every_form(here, write_run) -> None:
    for seed, value in ((1, 0.40), (2, 0.42), (3, 0.44)):
        write_run(f"log/{seed}", value, train__seed=seed)
    table = here("runs", "compare").out
    assert table.splitlines()[0] == "Results (%), mean ± deviation over train.seed"
    assert table.splitlines()[2].split()[:5] == ["log/*", "3", "42.0", "±", "2.0"]
    assert r"42.0 $\pm$ 2.0 \\" in here("runs", "compare", "--latex", "--figure", "mAP").out
    assert (
        "| log/\\* |   3 | 42.0 ± 2.0 |"
        in here("runs", "compare", "--markdown", "--figure", "mAP").out
    )
    record = json.loads(here("runs", "compare", "--json").out)
    assert record["averaged_over"] == ["train.seed"]
    assert record["groups"][0]["targets"]["shop"]["mAP"]["n"] == 3
    assert len(here("runs", "compare", "--each").out.splitlines()) == 5


def test_a_plot_is_a_picture(here, write_run, tmp_path) -> None:
    write_run("log/a")
    done = here("runs", "compare", "--plot", "curves.png")
    assert done.code == 0
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.format == "PNG"
        assert min(picture.size) > 500
    refused = here("runs", "compare", "--plot", "curves.jpg")
    assert (refused.code, "ends in .png" in refused.err) == (2, True)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["ls", "nowhere"], "is not there"),
        (["ls", "."], "no run in '.'"),
        (["compare", "log", "--json", "--latex"], "exclude each other"),
        (["compare", "bad"], "no run can be read"),
        (["compare", "log", "--figure", "map"], "the figure 'map'. Did you mean 'mAP'?"),
        (["compare", "log", "--figure", "loss"], "There are mAP, mINP, rank1"),
    ],
)
def test_bad_input_is_told(here, write_run, tmp_path, words, told) -> None:
    (tmp_path / "bad").mkdir()
    if "." not in words:
        (tmp_path / "bad" / "results.json").write_text("{")
        write_run("log/a")
    done = here("runs", *words)
    assert done.code == 2
    assert told in done.err


def test_what_is_shown_loads_no_torch(reidcore, write_run, tmp_path) -> None:
    write_run("here/log/a")
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(
        f"import atexit\n\n\ndef look():\n    {MODULES}\n\n\natexit.register(look)\n"
    )
    for words in (
        ["ls"],
        ["show", "log/a"],
        ["compare", "log", "--plot", "c.png"],
        ["matrix", "log"],
    ):
        done = reidcore("runs", *words, path=site)
        assert (done.returncode, "loaded" in done.stderr) == (0, False), done.stderr


@pytest.mark.parametrize("command", ["runs ls", "runs show"])
def test_json_has_the_keys_that_are_documented(here, write_run, command) -> None:
    write_run("log/a")
    row = re.search(rf"^\| `{command}` \| (.*) \|$", PAGE.read_text(encoding="utf-8"), re.M)
    assert row is not None
    found = json.loads(here(*command.split(), "log/a", "--json").out)
    (record,) = found if isinstance(found, list) else [found]
    assert list(record) == re.findall(r"`([^`]+)`", row[1])
