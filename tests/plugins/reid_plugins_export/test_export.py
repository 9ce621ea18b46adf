"""The road of an export: what it refuses, and what it leaves behind."""

from __future__ import annotations

import hashlib

import pytest
import torch
from reid_plugins_export import formats
from reid_plugins_export.dataset import DatasetChoice
from reid_plugins_export.export import Options, export_model

from reidcore import hookimpl
from reidcore.errors import UserError
from reidcore.plugins import make_plugins
from reidcore.testing import TinyWorld


class Bent:
    """A format whose files give other features, by as much as the test wants."""

    ending = ".bent"
    bend = staticmethod(lambda features: features)

    def convert(self, network, calibration):
        Bent.network = network
        return lambda path, record: path.write_text("bent")

    def open(self, path, device, precision, threads):
        return lambda images: Bent.bend(Bent.network(images))

    def read(self, path):
        return {}


class BentPlugin:
    @hookimpl(optionalhook=True)
    def reid_register_export_formats(self, registry) -> None:
        registry.add("bent", Bent)


@pytest.fixture(scope="module")
def bent():
    return make_plugins(extra=[TinyWorld(), BentPlugin()])


@pytest.mark.parametrize(
    ("bend", "told"),
    [
        (lambda features: features * 1.01, r"differ by 0\.0"),
        (lambda features: features * torch.nan, "differ by nan"),
        (lambda features: features[:1].expand_as(features), r"cosine is 0\."),
        (lambda features: features[:2], r"gives \(2, 8\) for 7 images"),
        (lambda features: features.roll(1, 0) if len(features) == 7 else features, "cosine is"),
    ],
)
def test_other_features_are_refused_and_nothing_is_left(
    bend, told, bent, checkpoint, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(Bent, "bend", staticmethod(bend))
    older = tmp_path / "a.bent"
    older.write_text("older")
    with pytest.raises(UserError, match=rf"{told}(?s:.*)nothing was written"):
        export_model(checkpoint, older, Options("bent"), bent)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("a.bent", "older")]


def test_rounding_is_accepted(bent, checkpoint, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(Bent, "bend", staticmethod(lambda features: features * (1 + 2e-5)))
    exported = export_model(checkpoint, tmp_path / "a.bent", Options("bent"), bent)
    assert 0 < exported.parity.difference < 1e-4
    assert exported.record["check"] == "unchecked"


def test_a_hash_is_beside_the_file(bent, checkpoint, tmp_path) -> None:
    export_model(checkpoint, tmp_path / "a.bent", Options("bent"), bent)
    digest = hashlib.sha256(b"bent").hexdigest()
    assert (tmp_path / "a.bent.sha256").read_text() == f"{digest}  a.bent\n"


def test_an_unknown_way_of_preprocessing_is_refused(bent, checkpoint, tmp_path) -> None:
    with pytest.raises(UserError, match=r"preprocess='half'.*none, mean_std, full"):
        export_model(checkpoint, tmp_path / "a.bent", Options("bent", preprocess="half"), bent)


def test_a_format_that_only_runs_files_is_told(checkpoint, tmp_path, plugins) -> None:
    assert not formats.can_write(formats.format_named("tensorrt", plugins))
    with pytest.raises(UserError, match="tensorrt runs files of others and writes none"):
        export_model(checkpoint, tmp_path / "a.onnx", Options("tensorrt"), plugins)


def test_a_check_compares_map_on_a_dataset(checkpoint, plugins, root, tmp_path) -> None:
    options = Options("torchscript", check=DatasetChoice("tiny", root))
    exported = export_model(checkpoint, tmp_path / "a.torchscript", options, plugins)
    check = exported.record["check"]
    assert check["dataset"] == "tiny"
    assert check["mAP"] == pytest.approx(check["mAP_torch"], abs=1e-6)
    assert check["difference"] == pytest.approx([0, 0, 0], abs=1e-6)
    assert exported.check.excludes_loss
