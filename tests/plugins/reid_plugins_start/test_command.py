"""``reidcore start`` as users run it: the whole road once, and what ends it early."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess

from PIL import Image

from reidcore.inference import read_metadata

SHORT = ("--minutes", "0.001", "--device", "cpu")


def test_one_command_leads_from_crops_to_a_model_with_a_threshold(crops, here, tmp_path):
    done = here(crops, "-o", "out", *SHORT)
    assert done.returncode == 0, done.stderr
    handed_over = tmp_path / "out" / "handover"
    assert sorted(each.name for each in handed_over.iterdir()) == [
        "MODEL_CARD.md", "commands.sh", "config.yaml", "model.onnx", "model.onnx.sha256",
        "model.pth.tar", "report.html",
    ]  # fmt: skip
    card = (handed_over / "MODEL_CARD.md").read_text()
    results = json.loads((tmp_path / "out" / "run" / "results.json").read_text())
    low, high = results["targets"]["crops"]["intervals"]["mAP"]
    mean = results["targets"]["crops"]["mAP"]
    assert f"| mAP | {100 * mean:.1f} | {100 * low:.1f} to {100 * high:.1f} |" in card
    chance = float(re.search(r"\| mAP of a random ranking \| (.*) \| \|", card)[1])
    is_doubted = 100 * low <= chance
    assert ("**Warning: nothing shows" in card) == is_doubted
    assert ("warning: nothing shows" in done.stderr) == is_doubted
    threshold = read_metadata(handed_over / "model.pth.tar").hooks["calibration"]["thresholds"][0]
    assert f"| 10 % | {threshold['similarity']:.3f} |" in card
    assert "* validation: 10 identities, 40 images" in card
    assert "30 identities; false matches of 1 % want 100, of 0.1 % want 520." in card
    hashed = subprocess.run(["sha256sum", "-c", "model.onnx.sha256"], cwd=handed_over, check=False)
    assert hashed.returncode == 0
    commands = (handed_over / "commands.sh").read_text().splitlines()
    printed = [line.strip()[2:] for line in done.stdout.splitlines() if "$ reidcore" in line]
    assert [line for line in commands if line.startswith("reidcore")] == printed
    _goes_on_where_it_stopped(here, crops, tmp_path / "out")
    _can_be_typed_step_by_step(here, printed, tmp_path / "out")


def _goes_on_where_it_stopped(start, crops, out):
    """Check the same command again, of which nothing but the last step is left to do."""
    before = (out / "model.onnx").stat().st_mtime_ns
    (out / "handover" / "MODEL_CARD.md").unlink()
    again = start(crops, "-o", "out", *SHORT)
    assert again.returncode == 0, again.stderr
    assert again.stdout.count("(done already)") == 8
    assert again.stdout.count("$ reidcore") == 1
    assert (out / "handover" / "MODEL_CARD.md").is_file()
    assert (out / "handover-earlier-1" / "commands.sh").is_file()
    assert "the one before is now handover-earlier-1" in again.stdout
    assert (out / "model.onnx").stat().st_mtime_ns == before


def _can_be_typed_step_by_step(start, printed, out):
    """Check that the road's own steps give the same by the commands that it prints for them."""
    config, card = (out / "config.yaml").read_text(), (out / "handover" / "MODEL_CARD.md")
    before = card.read_text()
    for gone in (out / "start.json", out / "config.yaml"):
        gone.unlink()
    for name in ("choose", "hand-over"):
        (command,) = [line for line in printed if line.endswith(f"--step {name}")]
        typed = start(*shlex.split(command)[2:])
        assert typed.returncode == 0, typed.stderr
    assert _without_times((out / "config.yaml").read_text()) == _without_times(config)
    assert card.read_text() == before
    assert (out / "handover" / "commands.sh").read_text().splitlines()[3:] == printed


def _without_times(config):
    """Return a configuration without what a step of the training took."""
    return re.sub(r"at [\d.]+ s a step", "", config)


def test_damaged_images_end_the_road_before_the_training(crops, here, tmp_path):
    shutil.copytree(crops, tmp_path / "crops")
    victim = next((tmp_path / "crops").glob("*/*.jpg"))
    whole = victim.read_bytes()
    victim.write_bytes(whole[: len(whole) * 2 // 3])  # whose header says nothing of it
    ended = here("crops", *SHORT)
    assert ended.returncode == 2
    assert "[3/9] check" in ended.stdout
    assert "error: " in ended.stdout
    assert "Mend crops as is told above" in ended.stderr
    assert not (tmp_path / "crops-reid" / "run").exists()


def test_a_dry_run_does_nothing(crops, here, tmp_path):
    shown = here(crops, "--dry-run")
    assert shown.returncode == 0
    assert shown.stdout.count("$ reidcore") == 9
    assert list(tmp_path.iterdir()) == []


def test_a_folder_inside_of_the_data_is_refused_whatever_leads_there(crops, here, tmp_path):
    (tmp_path / "link").symlink_to(crops, target_is_directory=True)
    for output in (crops / "out", tmp_path / "link" / "out"):
        refused = here(crops, "-o", output)
        assert refused.returncode == 2
        assert "is inside of the data" in refused.stderr
    assert not (crops / "out").exists()


def test_a_device_that_is_not_there_is_told_before_anything_is_written(crops, here, tmp_path):
    refused = here(crops, "-o", "out", "--device", "cuda:99")
    assert refused.returncode == 2
    assert "cuda:99" in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_one_step_alone_and_several_are_not_asked_for_at_once(crops, here):
    refused = here(crops, "--step", "train", "--from", "train")
    assert refused.returncode == 2
    assert "--step is given with --from" in refused.stderr


def test_too_few_identities_are_told(here, tmp_path):
    for shot in range(3):
        (tmp_path / "crops" / "anna").mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 80), (shot, 9, 9)).save(tmp_path / "crops" / "anna" / f"{shot}.png")
    refused = here("crops", *SHORT)
    assert refused.returncode == 2
    assert "identit" in refused.stderr
