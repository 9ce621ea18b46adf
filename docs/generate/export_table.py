"""Write docs/export-table.md: which architectures become ONNX files with equal features.

Each model is built with random weights, exported at its usual image size, and compared with PyTorch
on 1, 2 and 7 images. That takes half a minute a model; what was found stands in
docs/generate/export_table.json, and only models whose code, or whose conversion's, has changed
since are exported again.

Run: python docs/generate/export_table.py [MODEL...]
"""

from __future__ import annotations

import ast
import gc
import hashlib
import importlib.util
import json
import logging
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

from reidcore.registry import Entry, entries, find

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "export-table.md"
FOUND = Path(__file__).with_name("export_table.json")
BEGIN = "<!-- The table is written by docs/generate/export_table.py: make export-table -->"
END = "<!-- End of the table -->"
PACKAGES = ("onnx", "onnxruntime", "onnxscript", "timm", "torch")
CONVERSION = "reid_plugins_export.onnx_conversion"

# Of families whose members nobody lists: one of each kind of network.
MEMBERS = (
    "parts/osnet_x1_0",
    "timm/convnext_tiny",
    "timm/efficientnet_b0",
    "timm/mobilenetv3_large_100",
    "timm/vit_small_patch16_224",
)

HEADINGS = "| Model | Plugin | Image | Features | File | Difference | Cosine | ONNX |"
RULE = "|---|---|--:|--:|--:|--:|--:|---|"

_log = logging.getLogger(__name__)


def listed() -> list[Entry]:
    """Return the models of the table."""
    return [*entries("models"), *(find("models", name) for name in MEMBERS)]


def code_sha256(entry: Entry) -> str:
    """Return the hash of a model's code: its module's, and of those that this one imports."""
    target = entry.target if isinstance(entry.target, str) else entry.target.__module__
    modules = _reached(str(target).partition(":")[0])
    total = hashlib.sha256()
    for module in sorted(modules | _reached(CONVERSION)):
        total.update(f"{module}\n{_code(module)}\n".encode())
    return total.hexdigest()[:16]


def needing(found: Mapping[str, Any], wanted: Iterable[Entry]) -> list[Entry]:
    """Return the models that were not exported yet as they are now."""
    models = found["models"]
    return [
        entry for entry in wanted if models.get(entry.name, {}).get("code") != code_sha256(entry)
    ]


def table(found: Mapping[str, Any], wanted: Iterable[Entry]) -> str:
    """Return the table of these models."""
    rows = [row(entry, found["models"][entry.name]) for entry in wanted]
    return "\n".join([HEADINGS, RULE, *rows])


def row(entry: Entry, model: Mapping[str, Any]) -> str:
    """Return a model's row."""
    numbers = ["-", "-", "-", "-"]
    if not (why := model.get("why")):
        numbers = [
            str(model["feature_dim"]),
            f"{model['bytes'] / 1e6:.1f} MB",
            f"{model['difference']:.0e}",
            f"{model['cosine']:.6f}",
        ]
    size = "{}x{}".format(*model["size"]) if "size" in model else "-"
    return f"| {' | '.join([f'`{entry.name}`', entry.plugin, size, *numbers, why or 'yes'])} |"


def page(found: Mapping[str, Any], wanted: Iterable[Entry], before: str) -> str:
    """Return a page with the table as it is now."""
    head, _, rest = before.partition(BEGIN)
    _, _, tail = rest.partition(END)
    versions = ", ".join(f"{name} {number}" for name, number in found["versions"].items())
    block = f"Exported with {versions}.\n\n{table(found, wanted)}"
    return f"{head}{BEGIN}\n\n{block}\n\n{END}{tail}"


def exported(entry: Entry) -> dict[str, Any]:
    """Export a model and return what was found."""
    import torch
    from reid_plugins_export.network import FeatureNetwork, width_of
    from reid_plugins_export.onnx_file import OnnxFormat
    from reid_plugins_export.parity import check_parity, measure_parity

    from reidcore.data import IMAGENET_MEAN, IMAGENET_STD
    from reidcore.errors import UserError
    from reidcore.models import build_model, usual_size

    torch.manual_seed(0)
    record: dict[str, Any] = {"code": code_sha256(entry)}
    try:
        model = build_model(entry.name, num_classes=1, pretrained=False).eval()
        record["size"] = list(usual_size(model))
        network = FeatureNetwork(model, usual_size(model), IMAGENET_MEAN, IMAGENET_STD)
        with TemporaryDirectory() as folder:
            file = Path(folder) / "model.onnx"
            OnnxFormat().convert(network, None)(file, _least_record(entry, width_of(network)))
            backend = OnnxFormat().open(file, "cpu", "fp32", 1)
            record |= {"feature_dim": backend.feature_dim, "bytes": file.stat().st_size}
            parity = measure_parity(network, backend)
        record |= {"difference": parity.difference, "cosine": parity.cosine}
        check_parity(parity, "fp32")
    except UserError as error:
        record["why"] = error.what
    except Exception as error:  # whatever the exporter stumbles over is what the table tells
        record["why"] = f"{type(error).__name__}: {str(error).strip().splitlines()[0]}"
    return record


def _least_record(entry: Entry, feature_dim: int) -> dict[str, Any]:
    """Return what a file has to say of itself to be opened."""
    return {
        "version": 1,
        "model": {"name": entry.name},
        "preprocessing": {},
        "preprocess": "none",
        "normalise": False,
        "feature_dim": feature_dim,
        "weights_sha256": "",
        "precision": "fp32",
        "check": "unchecked",
        "test": {},
        "source": {},
    }


@cache
def _reached(module: str) -> frozenset[str]:
    """Return a module and those of its package that it imports, and so on."""
    graph = _graph(module.partition(".")[0])
    reached, waiting = set(), [module]
    while waiting:
        reached.add(name := waiting.pop())
        waiting += graph.get(name, set()) - reached
    return frozenset(reached)


@cache
def _graph(package: str) -> Mapping[str, set[str]]:
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    graph: Mapping[str, set[str]] = _import_graph().module_graph(Path(spec.origin).parent)
    return graph


@cache
def _import_graph() -> ModuleType:
    place = Path(__file__).with_name("import_graph.py")
    spec = importlib.util.spec_from_file_location("import_graph", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def _code(module: str) -> str:
    """Return what a module does, without its comments and docstrings."""
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and _is_text(body[0]):
            node.body = body[1:]  # type: ignore[attr-defined]
    return ast.dump(tree)


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def main(names: list[str]) -> None:
    """Export what is needed, a model after the other, and rewrite the page."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    found = json.loads(FOUND.read_text("utf-8")) if FOUND.is_file() else {"models": {}}
    wanted = listed()
    chosen = [each for each in wanted if each.name in names] if names else needing(found, wanted)
    for place, entry in enumerate(chosen, 1):
        found["models"][entry.name] = made = exported(entry)
        _log.info("%d of %d %s: %s", place, len(chosen), entry.name, made.get("why", "yes"))
        found["versions"] = {name: version(name) for name in PACKAGES}
        found["models"] = dict(sorted(found["models"].items()))
        FOUND.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
        gc.collect()
    done = [entry for entry in wanted if entry.name in found["models"]]
    PAGE.write_text(page(found, done, PAGE.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
