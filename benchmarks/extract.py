"""Extracting features from JPEG files, ours against Torchreid's FeatureExtractor, in one run.

    python benchmarks/extract.py --peer ../deep-person-reid --boxmot ../peers/boxmot/bin/python
    python benchmarks/extract.py --images 64 --rounds 1 --no-peer --also openvino:bf16

All extractors have the same weights and are called once with the list of all files, each in a
process of its own, in turns. Printed are images per second, peak memory above the loaded model,
the ratios to the peers, and how near the features are to Torchreid's (to ours without it): the
largest difference as a share of the largest feature, and the least cosine. ``--peer`` names a
checkout of Torchreid; without it an installed ``torchreid`` is taken. ``--boxmot`` names a Python
that has BoxMOT 25, whose ONNX road reads the same file as ours. ``--also`` names further backends
and precisions of ours. ``--weights`` takes trained weights, and nothing else of their checkpoint:
of random ones the features are so much alike that a cosine says little.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from memory import peak_memory, reset_peak
from peer import peer_package
from PIL import Image
from torch import Tensor, nn

Extract = Callable[[list[str]], Tensor]


def make_photos(folder: Path, count: int, height: int, width: int) -> None:
    """Draw JPEG files with as much detail as photographs have, of slightly different sizes."""
    rng = np.random.default_rng(0)
    for number in range(count):
        size = (width + number % 7, height + number % 11)
        coarse = Image.fromarray(rng.integers(0, 255, (24, 12, 3), dtype=np.uint8))
        pixels = np.asarray(coarse.resize(size, Image.Resampling.BICUBIC), dtype=np.int16)
        noisy = np.clip(pixels + rng.normal(0, 8, pixels.shape), 0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(folder / f"{number:05d}.jpg", quality=90)


def make_weights(path: Path, model_name: str) -> None:
    """Write weights whose batch statistics are those of images, so that no layer is idle."""
    from reidcore.models import build_model

    torch.manual_seed(0)
    model = build_model(model_name, num_classes=1, pretrained=False)
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = None  # average over the batches
    with torch.no_grad():
        for _ in range(2):
            model(torch.randn(8, 3, 256, 128))
    torch.save({"state_dict": model.state_dict()}, path)


def take_weights(checkpoint: Path, path: Path) -> None:
    """Write the weights of a checkpoint alone, which both extractors then prepare images for alike.

    A checkpoint of ours records how its images are resized, which Torchreid does not know of.
    """
    from reidcore.utils import load_checkpoint

    held = load_checkpoint(checkpoint)
    torch.save({"state_dict": held.get("state_dict", held)}, path)


def ours(arguments: argparse.Namespace) -> Extract:
    """Return our extractor: ``reidcore``, or ``BACKEND`` or ``BACKEND:PRECISION``."""
    from reidcore.utils import FeatureExtractor

    backend, _, precision = arguments.work.partition(":")
    is_plain = backend in ("reidcore", "torch")
    weights = arguments.weights if is_plain else exported(arguments.weights, backend)
    return FeatureExtractor(
        arguments.model if is_plain else "",
        weights,
        device=arguments.device,
        verbose=False,
        precision=precision or "fp32",
    )


ENDINGS = {"onnx": ".onnx", "openvino": ".xml", "torchscript": ".torchscript", "pt2": ".pt2"}


def exported(weights: str, backend: str) -> str:
    return str(Path(weights).with_suffix(ENDINGS[backend]))


def export(weights: Path, model: str, backend: str) -> None:
    """Write the weights as a backend's file, as users do."""
    command = [sys.executable, "-m", "reidcore", "export", str(weights), "--to", backend]
    command += ["-m", model, "-o", exported(str(weights), backend)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def boxmot(arguments: argparse.Namespace) -> Extract:
    """Return BoxMOT's ONNX runtime, given the crops of 64 files at a time, as its trackers do."""
    import cv2
    from boxmot.reid.core.runtime import ReID

    runtime = ReID(exported(arguments.weights, "onnx"), device="cpu")

    def extract(files: list[str]) -> Tensor:
        parts = [files[start : start + 64] for start in range(0, len(files), 64)]
        found = [runtime([cv2.imread(file) for file in part]) for part in parts]
        return torch.from_numpy(np.concatenate(found))

    return extract


def peer(arguments: argparse.Namespace) -> Extract:
    """Return the peer, importing nothing of it but what is measured."""
    package = ModuleType("torchreid")
    package.__path__ = [str(peer_package(arguments.peer))]
    sys.modules["torchreid"] = package
    utils = importlib.import_module("torchreid.utils")
    made: Extract = utils.FeatureExtractor(
        arguments.model, arguments.weights, device=arguments.device, verbose=False
    )
    return made


def work(arguments: argparse.Namespace) -> None:
    """Measure one extractor once and print the figures as JSON: what a child process does."""
    torch.set_num_threads(arguments.threads)
    files = sorted(str(path) for path in Path(arguments.photos).iterdir())
    extract = {"torchreid": peer, "boxmot": boxmot}.get(arguments.work, ours)(arguments)
    extract(files[:4])  # imports and thread pools are not what is measured
    before = reset_peak()
    wall, cpu = time.perf_counter(), time.process_time()
    features = extract(files).cpu()
    figures = {
        "name": arguments.work,
        "wall": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
        "peak": (peak_memory() - before) / 2**20,
    }
    np.save(Path(arguments.weights).with_name(f"{arguments.work}.npy"), features.numpy())
    print(json.dumps(figures))


def measure(arguments: argparse.Namespace, folder: Path) -> dict[str, list[dict[str, float]]]:
    methods = ["reidcore", *arguments.also]
    methods += ["torchreid"] * (not arguments.no_peer) + ["boxmot"] * bool(arguments.boxmot)
    found: dict[str, list[dict[str, float]]] = {}
    for _ in range(arguments.rounds):
        for method in methods:
            python = arguments.boxmot if method == "boxmot" else sys.executable
            command = [python, __file__, "--work", method, "--model", arguments.model]
            command += ["--photos", str(folder / "photos"), "--weights", str(folder / "w.pth")]
            command += ["--threads", str(arguments.threads), "--device", arguments.device]
            command += ["--peer", arguments.peer] if arguments.peer else []
            child = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            figures = json.loads(child.stdout.splitlines()[-1])
            found.setdefault(figures.pop("name"), []).append(figures)
    return found


PEERS = ("torchreid", "boxmot")


def show(found: dict[str, list[dict[str, float]]], images: int) -> None:
    medians = {
        name: {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        for name, runs in found.items()
    }
    print(f"{'':16}{'images/s':>10}{'wall s':>9}{'CPU s':>9}{'peak MB':>9}")
    for name, run in medians.items():
        rate = images / run["wall"]
        print(f"{name:16}{rate:10.1f}{run['wall']:9.1f}{run['cpu']:9.1f}{run['peak']:9.0f}")
    for peer_name in [name for name in PEERS if name in medians]:
        theirs = medians[peer_name]
        for name, mine in medians.items():
            if name not in PEERS:
                wall, cpu = theirs["wall"] / mine["wall"], theirs["cpu"] / mine["cpu"]
                print(f"{peer_name}/{name}: wall {wall:.2f}x, CPU {cpu:.2f}x")


def show_differences(folder: Path, names: list[str]) -> None:
    """Print how near features are to those of the reference; BoxMOT's are of unit length."""
    reference = "torchreid" if "torchreid" in names else "reidcore"
    exact = np.load(folder / f"{reference}.npy")
    for name in names:
        if name != reference:
            own = np.load(folder / f"{name}.npy")
            norms = np.linalg.norm(own, axis=1) * np.linalg.norm(exact, axis=1)
            cosine = ((own * exact).sum(axis=1) / norms).min()
            largest = np.abs(own - exact).max() / np.abs(exact).max()
            told = "" if name == "boxmot" else f"differs by {largest:.1e} of the largest feature, "
            print(f"{name} from {reference}: {told}cosine at least {cosine:.6f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=256)
    parser.add_argument("--height", type=int, default=256, help="of the files; they vary a little")
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--model", default="osnet_x1_0")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peer", help="a checkout of Torchreid; default: the installed one")
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--boxmot", metavar="PYTHON", help="a Python that has BoxMOT 25")
    parser.add_argument("--also", nargs="*", default=[], metavar="BACKEND[:PRECISION]")
    parser.add_argument("--weights", help="trained weights; by default random ones are made")
    for name in ("--work", "--photos"):
        parser.add_argument(name, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        work(arguments)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "photos").mkdir()
        make_photos(folder / "photos", arguments.images, arguments.height, arguments.width)
        if arguments.weights:
            take_weights(Path(arguments.weights), folder / "w.pth")
        else:
            make_weights(folder / "w.pth", arguments.model)
        formats = {each.partition(":")[0] for each in arguments.also} - {"torch"}
        for backend in formats | ({"onnx"} if arguments.boxmot else set()):
            export(folder / "w.pth", arguments.model, backend)
        print(
            f"{arguments.images} JPEG files of about {arguments.height} x {arguments.width}, "
            f"{arguments.model}, {arguments.device}, threads = {arguments.threads}, "
            f"rounds = {arguments.rounds}; medians"
        )
        found = measure(arguments, folder)
        show(found, arguments.images)
        show_differences(folder, list(found))


if __name__ == "__main__":
    main()
