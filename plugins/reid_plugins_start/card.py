"""The model card: what the model is, how good, for what, and for what not."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reid_plugins_start.choices import further_reaches
from reid_plugins_start.context import Context
from reid_plugins_start.findings import findings_in
from reid_plugins_start.licences import licences
from reid_plugins_start.random_ranking import doubt, mean_ap_by_chance
from reidcore.config import read_config
from reidcore.errors import counted, printable
from reidcore.inference import read_metadata
from reidcore.utils import read_json

_FILES = {
    "model.pth.tar": "the checkpoint: `reidcore test`, `reidcore extract`, `FeatureExtractor`",
    "model.onnx": "the same features for other programs; it says of itself how images are prepared",
    "model.onnx.sha256": "its hash, for `sha256sum -c`",
    "report.html": "figures, curves, the hardest queries: open it in a browser",
    "config.yaml": "the training: `reidcore run config.yaml`",
    "commands.sh": "every command that was run",
}
_FIGURES = ("mAP", "rank1", "rank5")


def model_card(context: Context, files: Sequence[str], earlier: str = "") -> str:
    """Return the card, in Markdown.

    Args:
        context: of a road that is done but for the hand-over.
        files: what else is handed over.
        earlier: the card before it, whose licences stay as somebody filled them in.
    """
    results = read_json(context.place.run / "results.json")
    config = read_config(str(context.place.config)).layer.tree
    target, chance = results["targets"][context.dataset], mean_ap_by_chance(context)
    why = doubt(target, chance, context.facts.ids["test"])
    warning = f"\n**Warning: {why}.**\n" if why else ""
    sections = {
        "Files": _files(files),
        "Data": _data(context),
        "Training": _training(results, config),
        "How good it is": _figures(target, chance),
        "Threshold": _threshold(context),
        "What it is not for": _limits(context),
        "Licences": licences(config["model"], earlier),
        "How it was made": _steps(context),
    }
    title = (
        f"# {context.dataset}: a re-identification model\n\n{_summary(results, config)}\n{warning}"
    )
    return title + "".join(f"\n## {name}\n\n{text}\n" for name, text in sections.items())


def _summary(results: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    data, name = config["data"], config["model"]["name"]
    return (
        f"`{name}` turns a crop, resized to {data['height']} x {data['width']} pixels (height x "
        "width), into a feature. Features of one identity have a larger cosine similarity than "
        f"features of two. Made by reidcore {results['versions']['reidcore']} with torch "
        f"{results['versions']['torch']}."
    )


def _files(files: Sequence[str]) -> str:
    return "\n".join(f"* `{name}`: {_FILES[name]}" for name in files if name in _FILES)


def _data(context: Context) -> str:
    facts = context.facts
    lines = [
        f"* From `{printable(context.source.path, one_line=True)}`, by "
        f"{counted(facts.cameras, 'camera')}.",
        *(
            f"* {part}: {counted(facts.ids[part], 'identity', 'identities')}, "
            f"{counted(facts.images[part], 'image')}"
            for part in ("train", "validation", "test")
        ),
        *(
            f"* class `{name}`: {', '.join(f'{count} {part}' for part, count in parts.items())}"
            for name, parts in facts.classes.items()
        ),
        f"* Median size of a crop: {facts.median[0]} x {facts.median[1]} pixels.",
        *(f"* {note}" for note in facts.notes),
        *(
            f"* {finding['severity']} of the check: {finding['message']}"
            for finding in findings_in(context.place.check)
            if finding["severity"] != "note"
        ),
    ]
    if len(facts.classes) > 1:
        lines.append("* Of several classes: a query is searched for among all of them.")
    return printable("\n".join(lines))


def _training(results: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    history, model = results["training"], config["model"]
    start = "published weights" if model["pretrained"] else "random weights"
    seconds = results["timings"].get("total_seconds", 0)
    return (
        f"From {start}, {counted(len(history), 'epoch')} of the training images, batches of "
        f"{config['train']['batch_size']}, on {results['device']}, {_duration(seconds)}. "
        "The last epoch was taken: no test chose it. `config.yaml` has every choice and its reason."
    )


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 60 else f"{seconds / 60:.0f} min"


def _figures(target: Mapping[str, Any], chance: float) -> str:
    rows = ["| Figure | % | 95 % interval |", "|---|---|---|"]
    for name in _FIGURES:
        low, high = (100 * end for end in target["intervals"].get(name, (float("nan"),) * 2))
        rows.append(f"| {name} | {100 * target[name]:.1f} | {low:.1f} to {high:.1f} |")
    rows.append(f"| mAP of a random ranking | {100 * chance:.1f} | |")
    conditions = target["conditions"]
    skipped = target["num_skipped_queries"]
    return (
        "\n".join(rows)
        + f"\n\nProtocol `{target['protocol']}` (ignored: {conditions.get('junk', 'nothing')}), "
        f"{counted(target['num_valid_queries'], 'query', 'queries')} of identities that were "
        f"never learnt from{f', {skipped} more without a match' if skipped else ''}. The intervals "
        "are over identities: other identities of the same cameras would give figures in them."
    )


def _threshold(context: Context) -> str:
    entry = context.journal.entries.get("calibrate")
    ids = sum(context.facts.ids.values())
    further = ", of ".join(further_reaches(ids))
    more = f"\n\nThe data has {ids:,} identities; false matches of {further}." if further else ""
    if entry is None or entry.told:
        told = entry.told if entry else "it was not tried"
        return f"None is known: {told.rstrip('.?')}. Do not take one from another model.{more}"
    record = read_metadata(context.place.model).hooks.get("calibration") or {}
    thresholds: Sequence[Mapping[str, Any]] = record.get("thresholds", ())
    if not thresholds:
        return "None is known: there were too few pairs."
    rows = [
        "| Wanted false matches | Cosine similarity | 95 % interval | Matches that are missed |",
        "|---|---|---|---|",
    ]
    for each in thresholds:
        rows.append(
            f"| {100 * each['fmr']:g} % | {each['similarity']:.3f} "
            f"| {each['low']:.3f} to {each['high']:.3f} | {100 * each['fnmr']:.1f} % |"
        )
    return (
        "\n".join(rows)
        + "\n\nTwo crops of at least this similarity are taken for one identity. Fitted on the "
        f"{context.facts.ids['validation']} identities for validation; the model and the export "
        "carry it (`read_calibration`).\n"
        + "".join(f"\n* {why}" for why in record.get("refused", ()))
        + more
    )


def _limits(context: Context) -> str:
    facts = context.facts
    lines = [
        "* Other places and cameras than those of the data: figures and thresholds are of these.",
        "* Changed appearance: a person in other clothes, a vehicle in other paint.",
        "* Other classes of things than it was trained on.",
        "* Decisions about people without a person who looks: it says how alike two crops are, "
        "not who somebody is.",
    ]
    if facts.protocol != "market1501":
        lines.append("* Other cameras: it was tested in any camera, mostly within one.")
    return "\n".join(lines)


def _steps(context: Context) -> str:
    lines = [
        f"* {name}: {entry.state}{f' ({entry.told})' if entry.told else ''}"
        + (f", `{entry.command}`" if not entry.told else "")
        for name, entry in context.journal.entries.items()
        if name != "hand-over"
    ]
    files = (context.model, context.place.export)
    hashes = [f"* sha256 of `{file.name}`: `{_sha256(file)}`" for file in files if file.is_file()]
    return printable("\n".join([*lines, *hashes]))


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
