"""The steps of the model: a recipe, the training, its threshold, its export and its report."""

from __future__ import annotations

from pathlib import Path

from reid_plugins_start.config_file import validation_name
from reid_plugins_start.context import Context
from reid_plugins_start.recipe import write_recipe
from reid_plugins_start.step import Step
from reidcore.utils import checkpoints_in

RESULTS = "results.json"


def choose_step(context: Context) -> Step:
    """Choose a recipe for the data and the machine."""
    wishes, place = context.wishes, context.place
    return Step(
        "choose",
        f"a recipe for this data and this machine, in {place.config}",
        context.own_command("choose"),
        is_own=True,
        made_from=[str(wishes.device), str(wishes.minutes), str(wishes.seed)],
        products=[place.config],
        act=lambda: write_recipe(context),
    )


def train_step(context: Context) -> Step:
    """Train and test; a training that was stopped goes on."""
    place = context.place
    text = place.config.read_text(encoding="utf-8") if place.config.is_file() else ""
    return Step(
        "train",
        "and test on identities that it never saw",
        ["run", place.config, *context.wishes.device_words],
        further=lambda began: _beginning(place.run, began),
        made_from=[text],
        products=[place.run / RESULTS],
    )


def _beginning(run: Path, began: float | None) -> list[str]:
    """Return how a training begins where its folder holds one: that one goes on, or is replaced.

    Args:
        run: the folder.
        began: when the same training was begun and did not end; None if it was not.
    """
    held = checkpoints_in(run)
    if began is not None and any(path.stat().st_mtime >= began for path in held):
        return ["--resume", "auto"]
    return ["--overwrite"] if held or (run / RESULTS).exists() else []


def calibrate_step(context: Context) -> Step:
    """Find thresholds on the identities for validation; without them there is no such model."""
    place = context.place
    title = "thresholds, on identities that were neither learnt from nor tested on"
    left_out = ""
    if context.split and "val_query" not in context.split["splits"]:
        left_out = "no identities are kept for validation"
    return Step(
        "calibrate",
        title,
        [
            "calibrate",
            context.checkpoint,
            "--data",
            validation_name(context.dataset),
            "-o",
            place.model,
            *context.wishes.device_words,
        ],
        products=[place.model],
        needed=False,
        otherwise=lambda: _remove(place.model),
        left_out=left_out,
    )


def export_step(context: Context) -> Step:
    """Export the model, behind the gate of the export."""
    place = context.place
    return Step(
        "export",
        "an ONNX file with the same features",
        ["export", context.model, "--to", "onnx", "-o", place.export],
        products=[place.export],
        needed=False,
        otherwise=lambda: _remove(place.export),
    )


def report_step(context: Context) -> Step:
    """Write the page about the training."""
    place = context.place
    return Step(
        "report",
        "a page with figures, curves and pictures",
        ["report", place.run, "-o", place.report],
        products=[place.report],
        needed=False,
        otherwise=lambda: _remove(place.report),
    )


def _remove(file: Path) -> None:
    """Remove what an earlier model left, so that it is not handed over with this one."""
    file.unlink(missing_ok=True)
    file.with_name(f"{file.name}.sha256").unlink(missing_ok=True)
