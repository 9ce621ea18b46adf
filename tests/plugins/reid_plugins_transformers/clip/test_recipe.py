"""The recipe by its name, with towers of a toy's size on drawn people: trained, and resumed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from reidcore.cli import main
from reidcore.utils import load_checkpoint

TOY = [
    *("model.pretrained=false", "model.width=64", "model.depth=1", "model.text_width=64"),
    *("model.text_depth=1", "model.embedding=16", "data.height=32", "data.width=32"),
    *("synthetic.train_ids=8", "synthetic.test_ids=4", "synthetic.cameras=2"),
    *("synthetic.images_per_camera=2", "data.workers=0", "use_gpu=false", "train.amp=off"),
    *("train.max_epoch=2", "train.warmup_epochs=0", "train.batch_size=16", "train.stepsize=[1]"),
    *("loss.clipreid.prompt_epochs=2", "loss.clipreid.prompt_warmup_epochs=1"),
    *(f"settings.writers.{each}=false" for each in ("tensorboard", "jsonl", "log")),
]


def train(root: Path, folder: Path, *words: str) -> object:
    """Run the command; return its exit code."""
    places = ["--root", str(root), "-s", "synthetic", "-t", "synthetic", f"data.save_dir={folder}"]
    with pytest.raises(SystemExit) as end:
        main(["run", "clipreid_vit_b", *places, *TOY, *words])
    return end.value.code


def test_it_runs_by_its_name_and_goes_on_from_each_stage(tmp_path: Path) -> None:
    assert train(tmp_path, tmp_path / "whole", "train.keep_checkpoints=4") == 0
    record = json.loads((tmp_path / "whole" / "results.json").read_text())
    assert [set(epoch) >= {"i2t", "t2i"} for epoch in record["training"]] == [True] * 2 + [
        False
    ] * 2
    weights = load_checkpoint(tmp_path / "whole" / "model.pth.tar-4")["state_dict"]
    for done in (1, 3):
        start = tmp_path / "whole" / f"model.pth.tar-{done}"
        assert train(tmp_path, tmp_path / f"from{done}", f"model.resume={start}") == 0
        again = load_checkpoint(tmp_path / f"from{done}" / "model.pth.tar-4")["state_dict"]
        assert all(torch.equal(weights[name], again[name]) for name in weights)


def test_without_its_weights_it_says_where_they_are_to_be_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REIDCORE_OFFLINE", "1")
    assert train(tmp_path, tmp_path / "log", "model.pretrained=true") == 2
    told = capsys.readouterr().err
    assert "clip_vit_b_16_openai.safetensors" in told
    assert "huggingface.co/timm/vit_base_patch16_clip_224.openai" in told
