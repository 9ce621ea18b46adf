"""What commands tell a new user: nothing twice, and nothing that says nothing."""

from __future__ import annotations

import re
from typing import Any

WITHOUT_NEWS = ("active plugins: ", "plugins: ", "step: ", "losses: ", "trained: ")


def lines_of(text: str) -> list[str]:
    return [re.sub(r"\d+\.\d+ s\b", "S s", line).rstrip() for line in text.splitlines()]


def test_a_run_says_each_thing_once(trained: Any) -> None:
    lines = lines_of(trained.run.out)
    rules = {line for line in lines if set(line) <= set(" -─")}
    told = [line for line in lines if line not in rules]
    assert sorted(set(told)) == sorted(told)
    assert not [line for line in told if line.startswith(WITHOUT_NEWS)]
    assert len([line for line in told if line.startswith("Training images: 32x16")]) == 1


def test_a_test_tells_nothing_of_training(trained: Any) -> None:
    done = trained("test", trained.checkpoint)
    told = lines_of(done.out)
    assert not [line for line in told if "raining" in line or re.match("=> Loaded|Sources", line)]
    assert not [line for line in told if line.startswith(WITHOUT_NEWS)]
    assert [line for line in told if line.startswith("Target: synthetic (")]
    assert sorted(set(told)) == sorted(told)
    folder = trained.checkpoint.parent.relative_to(trained.folder) / "visrank_synthetic"
    assert len([line for line in told if line.endswith(str(folder))]) == 1


def test_whoever_is_in_the_step_is_told(trained: Any) -> None:
    plugin = trained.folder / "norm.py"
    plugin.write_text(
        "from reidcore import hookimpl\n\n\n"
        "@hookimpl(wrapper=True)\n"
        "def reid_compute_losses(engine, batch, outputs):\n"
        "    return (yield)\n"
    )
    told = lines_of(trained("--no-plugin", "timm", "test", trained.checkpoint, "-p", plugin).out)
    assert "plugins: norm" in told
    assert "losses: core <- norm (wraps)" in told
    assert any(line.startswith("disabled plugins: timm ") for line in told)
    assert not [line for line in told if line.startswith("step: ")]


def test_a_synthetic_dataset_has_all_options_of_its_settings(program: Any) -> None:
    from reid_plugins_synthetic.album import Settings

    helped = program("data", "make-synthetic", "--help").out
    for name, default in Settings().as_dict().items():
        assert re.search(rf"--{name.replace('_', '-')} INTEGER [^-]*\[default: {default}\]", helped)
    sizes = ["--cameras", "2", "--images-per-camera", "1", "--height", "32", "--width", "16"]
    made = program("data", "make-synthetic", "few", "--train-ids", "2", "--test-ids", "2", *sizes)
    assert made.out.startswith("few: 4 training, 4 query and ")
    refused = program("data", "make-synthetic", "other", "--cameras", "9")
    assert refused.code == 2
    assert "cameras is 9. Choose a number from 2 to 6" in refused.err
