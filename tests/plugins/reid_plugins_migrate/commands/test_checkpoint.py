"""``reidcore migrate checkpoint`` as users run it."""

from __future__ import annotations

import pytest
import torch

from reidcore.inference import read_metadata
from reidcore.models import build_model


@pytest.fixture
def old(tmp_path):
    path = tmp_path / "osnet_x0_25.pth.tar-3"
    model = build_model("osnet_x0_25", 7, pretrained=False)
    torch.save({"state_dict": {**model.state_dict(), "odd": torch.ones(1)}, "epoch": 3}, path)
    return path


def test_a_checkpoint_is_written_beside_the_old_one(migrate, old, tmp_path) -> None:
    done = migrate("checkpoint", old.name, "--model", "osnet_x0_25")
    assert done.code == 0
    assert (
        "osnet_x0_25.pth.tar-3: Torchreid's osnet_x0_25, 567 entries taken over, 1 left out"
        in done.out
    )
    assert "left out  odd: the model has no such entry" in done.err
    assert read_metadata(tmp_path / "osnet_x0_25.reidcore.pth.tar").model_name == "osnet_x0_25"


def test_a_configuration_is_translated_on_the_way(migrate, old, tmp_path) -> None:
    (tmp_path / "own.yaml").write_text(
        "model: {name: osnet_x0_25}\ndata: {height: 128, width: 64}\n"
    )
    done = migrate("checkpoint", old.name, "--config", "own.yaml", "-o", "new.pth.tar")
    assert done.code == 0
    assert read_metadata(tmp_path / "new.pth.tar").preprocessing["height"] == 128


def test_the_old_file_is_never_written_over(migrate, old) -> None:
    before = old.read_bytes()
    done = migrate("checkpoint", old.name, "--model", "osnet_x0_25", "-o", old.name)
    assert done.code == 2
    assert "the file that is read" in done.err
    assert old.read_bytes() == before
