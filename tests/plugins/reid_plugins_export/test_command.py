"""``reidcore export`` at the command line."""

from __future__ import annotations

import json
from functools import partial

import pytest

from tests.program import run

WORLD = "from reidcore.testing import TinyWorld\n\n_world = TinyWorld()\n"
HOOKS = ("reid_register_models", "reid_register_datasets")


@pytest.fixture
def export(tmp_path, monkeypatch):
    """Run ``reidcore export`` here, with a plugin file that has the tiny world."""
    monkeypatch.setenv("COLUMNS", "200")
    plugin = tmp_path / "tiny_world.py"
    plugin.write_text(WORLD + "".join(f"{name} = _world.{name}\n" for name in HOOKS))
    return partial(run, "-p", plugin, "export")


@pytest.fixture
def here(checkpoint, tmp_path):
    """A copy of the checkpoint in a folder of its own."""
    copy = tmp_path / "trained" / checkpoint.name
    copy.parent.mkdir()
    copy.write_bytes(checkpoint.read_bytes())
    return copy


def test_the_file_stands_beside_the_checkpoint_and_tells_of_itself(export, here) -> None:
    code, out, _ = export(here, "--to", "torchscript", "--normalise")
    file = here.with_name("model-2.torchscript")
    assert code == 0
    assert f"{file}: tinynet, images 32x16, 8 dimensions" in out
    assert "features of 1, 2, 7 images: within" in out
    code, out, _ = export("--show", file)
    assert code == 0
    for told in ("sha256     as written", "(8) of unit length", "none: export with --check"):
        assert told in out
    code, out, _ = export("--show", file, "--json")
    assert json.loads(out)["record"]["model"]["name"] == "tinynet"
    assert json.loads(out)["sha256_matches"] is True


def test_a_size_of_ones_own_is_taken(export, here, tmp_path) -> None:
    target = tmp_path / "new" / "wide.torchscript"
    code, out, _ = export(here, "--to", "torchscript", "--size", "48x24", "-o", target, "--json")
    assert code == 0
    assert json.loads(out)["record"]["preprocessing"]["height"] == 48
    assert target.is_file()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--size", "256"], "--size '256' is no size"),
        (["--size", "0x128"], "is no size"),
        (["--to", "onx"], "Did you mean 'onnx'?"),
        (["csv.file=a.csv"], "is a setting of no dataset"),
        (["--to", "torchscript", "-o", "a.onnx"], "does not end in .torchscript"),
        (["--to", "torchscript", "--check", "nowhere"], "'nowhere'"),
    ],
)
def test_what_makes_no_sense_is_told(words, told, export, here) -> None:
    code, _, err = export(here, *words)
    assert code == 2
    assert told in err
