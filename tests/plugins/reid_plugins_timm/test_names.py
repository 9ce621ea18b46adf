"""timm's names, its absence, and its weights."""

from __future__ import annotations

import subprocess
import sys

import huggingface_hub
import pytest
import timm

from reidcore.errors import ConfigError, UnknownNameError, UserError
from reidcore.models import build_model
from reidcore.registry import families, find
from reidcore.testing import make_plugins


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("resnet5O", "'resnet50'"),
        ("vit_small_patch16_224.dyno", "'vit_small_patch16_224.dino'"),
        ("Convnext_tiny", "'convnext_tiny'"),
    ],
)
def test_an_unknown_name_is_told_the_nearest(name, near) -> None:
    with pytest.raises(UnknownNameError) as caught:
        build_model(f"timm/{name}", 4, pretrained=False)
    assert f"timm {timm.__version__} has no model named {name!r}" in str(caught.value)
    assert near in str(caught.value)


def test_a_members_options_have_the_types_of_its_factory() -> None:
    with pytest.raises(ConfigError, match="drop_path_rate"):
        build_model("timm/resnet18", 4, pretrained=False, drop_path_rate="much")


def test_all_names_are_listed_with_and_without_tags() -> None:
    with make_plugins() as plugins:
        family = next(each for each in families("models", plugins) if each.prefix == "timm")
    names = family.names()
    assert {"timm/vit_small_patch16_224", "timm/vit_small_patch16_224.dino"} <= set(names)
    assert len(names) == len(set(names)) > 2000


def test_the_options_of_a_member_are_its_factorys() -> None:
    parameters = find("models", "timm/test_vit").parameters()
    assert list(parameters) == [
        *("num_classes", "loss", "pretrained", "image_size", "drop_path_rate", "pool_tokens")
    ]
    with pytest.raises(UnknownNameError, match="has no option 'drop_rate'"):
        build_model("timm/test_vit", 4, pretrained=False, drop_rate=0.1)


def test_without_timm_the_command_to_install_it_is_told() -> None:
    code = (
        "import sys; sys.modules['timm'] = None\n"
        "from reidcore.cli import main\n"
        "main(['ls', 'models', 'timm'])\n"
        "main(['ls', 'models', 'timm/'])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "timm/<name>" in done.stdout

    assert done.returncode == 0
    code = code.replace("main(['ls', 'models', 'timm'])\n", "")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2
    assert "model 'timm/<name>' needs a package that is not installed" in done.stderr
    assert 'pip install "reidcore[timm]"' in done.stderr


# -- weights ---------------------------------------------------------------------------------------


def test_weights_that_cannot_be_downloaded_are_told_with_the_ways_out(monkeypatch) -> None:
    def create(name, pretrained, **options):
        raise OSError("no route to host\nand more lines")

    monkeypatch.setattr(timm, "create_model", create)
    with pytest.raises(UserError) as caught:
        build_model("timm/test_vit", 4, image_size=(64, 32))
    told = str(caught.value)
    assert "pretrained weights of 'timm/test_vit' could not be loaded (no route to host)" in told
    assert "model.pretrained=false" in told
    assert "model.load_weights=FILE" in told


@pytest.mark.parametrize("name", ["test_vit", "gcvit_xxtiny"], ids=["of the hub", "of an address"])
def test_nothing_is_downloaded_when_downloads_are_switched_off(monkeypatch, tmp_path, name) -> None:
    monkeypatch.setenv("REIDCORE_OFFLINE", "1")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    before = huggingface_hub.constants.HF_HUB_OFFLINE
    with pytest.raises(UserError, match=f"weights of 'timm/{name}' could not be loaded"):
        build_model(f"timm/{name}", 4, image_size=(64, 32))
    assert before == huggingface_hub.constants.HF_HUB_OFFLINE


def test_a_model_without_published_weights_says_so() -> None:
    with pytest.raises(UserError, match="timm has no pretrained weights for 'test_vit4'"):
        build_model("timm/test_vit4", 4)


def test_pretrained_models_are_timms_and_tell_their_pixels(monkeypatch, caplog) -> None:
    asked = []
    create = timm.create_model

    def without_network(name, pretrained, **options):
        asked.append((name, pretrained))
        return create(name, pretrained=False, **options)

    monkeypatch.setattr(timm, "create_model", without_network)
    with caplog.at_level("INFO", logger="reidcore"):
        build_model("timm/test_vit.r160_in1k", 4, image_size=(64, 32))
        build_model("timm/test_vit", 4, image_size=(64, 32), pretrained=False)
    assert asked == [("test_vit.r160_in1k", True), ("test_vit", False)]
    assert caplog.text.count("set data.norm_mean") == 1
