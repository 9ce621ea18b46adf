"""Formats by name and by ending, and those of third parties."""

from __future__ import annotations

from pathlib import Path

import pytest
from reid_plugins_export.export import Options, export_model
from reid_plugins_export.formats import format_named, format_of
from reid_plugins_export.onnx_file import OnnxFormat
from reid_plugins_export.record import read_record

from reidcore import hookimpl
from reidcore.errors import PluginDefectError, PluginError, UnknownNameError, UserError
from reidcore.plugins import make_plugins
from reidcore.testing import TinyWorld


class Parrot:
    """A format that writes its record, and whose backend is the network itself."""

    ending = ".parrot"
    network = None

    def convert(self, network, calibration):
        Parrot.network = network
        return lambda path, record: path.write_text(str(sorted(record)))

    def open(self, path, device, precision, threads):
        return Parrot.network

    def read(self, path):
        return {"version": 1, "keys": path.read_text()}


class ParrotPlugin:
    @hookimpl(optionalhook=True)
    def reid_register_export_formats(self, registry) -> None:
        registry.add("parrot", Parrot, aliases=[".parrot"])

    @hookimpl(optionalhook=True)
    def reid_export_metadata(self, metadata):
        return {"seeds": metadata.hooks["shop"]["kept"]}


def test_reid_register_export_formats(checkpoint, tmp_path) -> None:
    plugins = make_plugins(extra=[TinyWorld(), ParrotPlugin()])
    exported = export_model(checkpoint, tmp_path / "a.parrot", Options("parrot"), plugins)
    assert exported.parity.difference == 0
    assert "'parity'" in read_record(exported.path, plugins)["keys"]


def test_reid_export_metadata(checkpoint, tmp_path) -> None:
    plugins = make_plugins(extra=[TinyWorld(), ParrotPlugin()])
    exported = export_model(checkpoint, tmp_path / "a.parrot", Options("parrot"), plugins)
    assert exported.record["seeds"] == 5


def test_a_plugin_may_not_replace_what_a_record_says(checkpoint, tmp_path) -> None:
    class Liar(ParrotPlugin):
        @hookimpl(optionalhook=True)
        def reid_export_metadata(self, metadata):
            return {"feature_dim": 5}

    plugins = make_plugins(extra=[TinyWorld(), Liar()])
    with pytest.raises(PluginDefectError, match=r"Liar.*'feature_dim'"):
        export_model(checkpoint, tmp_path / "a.parrot", Options("parrot"), plugins)
    assert list(tmp_path.iterdir()) == []


def test_formats_are_known_by_name_and_ending(plugins) -> None:
    assert isinstance(format_named("onnx", plugins), OnnxFormat)
    assert isinstance(format_of(Path("A.ONNX"), plugins), OnnxFormat)
    assert format_of(Path("model.pth.tar-60"), plugins) is None
    assert format_of(Path("model"), plugins) is None


@pytest.mark.parametrize("name", ["onx", ".onnx"])
def test_an_unknown_format_is_told_with_the_known_ones(name, plugins) -> None:
    with pytest.raises(UnknownNameError, match=f"'{name}'.*There are .*onnx"):
        format_named(name, plugins)


def test_a_name_of_two_plugins_is_told(plugins) -> None:
    class Other(ParrotPlugin):
        pass

    class Another(ParrotPlugin):
        pass

    both = make_plugins(extra=[Other(), Another()])
    with pytest.raises(
        PluginError, match=r"format 'parrot' is provided by several .*Write 'Other/parrot'"
    ):
        format_named("parrot", both)


def test_a_plugin_that_fails_is_named() -> None:
    class Broken:
        @hookimpl(optionalhook=True)
        def reid_register_export_formats(self, registry) -> None:
            raise ValueError("no")

    with pytest.raises(PluginError, match="'Broken' is broken: ValueError: no"):
        format_named("onnx", make_plugins(extra=[Broken()]))


def test_an_object_that_cannot_be_opened_is_a_defect() -> None:
    class Half:
        @hookimpl(optionalhook=True)
        def reid_register_export_formats(self, registry) -> None:
            registry.add("half", lambda: object())

    with pytest.raises(PluginDefectError, match="open and read"):
        format_named("half", make_plugins(extra=[Half()]))


def test_another_ending_is_refused(checkpoint, plugins, tmp_path) -> None:
    with pytest.raises(UserError, match=r"does not end in \.onnx"):
        export_model(checkpoint, tmp_path / "model.xml", Options("onnx"), plugins)
