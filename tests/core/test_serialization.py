"""Checkpoints: read safely, written whole."""

from __future__ import annotations

import io
import lzma
import pickle
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from reidcore._serialization import (
    load_safely,
    loads_safely,
    not_loaded,
    save_atomically,
    save_safetensors,
)
from reidcore.errors import CheckpointError, UserError

DATA = Path(__file__).parents[1] / "fixtures" / "checkpoints"


class _Forger(pickle._Pickler):
    """Writes numpy's scalars under the module name of another numpy."""

    def save_global(self, obj, name=None):
        if getattr(obj, "__name__", "") == "scalar":
            self.write(b"c" + self.scalar_module.encode() + b"\nscalar\n")
            self.memoize(obj)
        else:
            super().save_global(obj, name)


def test_torchreids_checkpoint_with_a_numpy_scalar_loads(tmp_path):
    path = tmp_path / "model.pth.tar-10"
    path.write_bytes(lzma.decompress((DATA / "a_dataparallel_numpy.pth.tar-10.xz").read_bytes()))
    checkpoint = load_safely(path)
    assert checkpoint["epoch"] == 10
    assert checkpoint["rank1"] == pytest.approx(0.9437)
    assert all(key.startswith("module.") for key in checkpoint["state_dict"])


@pytest.mark.parametrize("module", ["numpy.core.multiarray", "numpy._core.multiarray"])
def test_scalars_of_old_and_new_numpy_load(tmp_path, module):
    path = tmp_path / "scalar.pth"
    value = {"rank1": np.float64(0.5), "epoch": np.int64(3), "best": np.bool_(True)}
    torch.save(value, path, pickle_module=_pickle_as(module), _use_new_zipfile_serialization=False)
    assert module.encode() in path.read_bytes()
    assert load_safely(path) == value


def test_the_allow_list_ends_with_the_call(tmp_path):
    torch.serialization.add_safe_globals([np.dtype])
    before = set(torch.serialization.get_safe_globals())
    try:
        save_atomically({"x": np.float32(1)}, tmp_path / "a.pth")
        load_safely(tmp_path / "a.pth")
        assert set(torch.serialization.get_safe_globals()) == before
    finally:
        torch.serialization.clear_safe_globals()


@pytest.mark.parametrize("name", ["evil.pth.tar", "evil_legacy.pth.tar"])
def test_a_malicious_file_is_refused_and_runs_nothing(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CheckpointError, match=r"asks to run 'posix\.system'") as caught:
        load_safely(DATA / name)
    assert name in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_objects_of_other_classes_are_held_place_for(tmp_path):
    torch.save({"path": Path("x"), "weight": torch.ones(2)}, tmp_path / "foreign.pth")
    held = load_safely(tmp_path / "foreign.pth")
    assert torch.equal(held["weight"], torch.ones(2))
    assert not isinstance(held["path"], Path)
    [name] = not_loaded(held)
    assert name.endswith("PosixPath")


def test_what_a_plugin_saves_must_load_without_placeholders():
    assert loads_safely({"weight": torch.ones(2), "rank1": np.float64(1)})
    assert not loads_safely({"path": Path("x")})


@pytest.mark.parametrize("zipped", [True, False])
def test_a_flipped_byte_is_damage(zipped, tmp_path):
    path = tmp_path / ("model.pth" if zipped else "model.safetensors")
    weights = {"w": torch.arange(256.0), "b": torch.ones(9, dtype=torch.bfloat16)}
    if zipped:
        save_atomically(weights, path)
        places = [path.read_bytes().index(weights["w"].numpy().tobytes()) + 400]
    else:
        save_safetensors(weights, path, {"version": "1.0"})
        assert load_safely(path)["reidcore"] == {"version": "1.0"}
        whole = path.read_bytes()
        places = [len(whole) - 3, len(whole) - 500, whole.index(b"1.0")]
    whole = path.read_bytes()
    for place in places:
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(CheckpointError, match=r"model\.\w+' is damaged"):
            load_safely(path)


def test_torch_may_leave_the_sums_out(tmp_path):
    before = torch.serialization.get_crc32_options()
    try:
        torch.serialization.set_crc32_options(False)
        torch.save({"w": torch.ones(3)}, tmp_path / "w.pth")
    finally:
        torch.serialization.set_crc32_options(before)
    assert torch.equal(load_safely(tmp_path / "w.pth")["w"], torch.ones(3))


def test_a_record_that_would_fill_the_memory_is_damage(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb/data.pkl", bytes(200 << 20))
    with pytest.raises(CheckpointError, match="would grow more than 100-fold"):
        load_safely(tmp_path / "bomb.pth")


def _zip_of(path, **contents):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            archive.writestr(f"a/{name}.pkl", content)


def _save_array(path):
    with path.open("wb") as file:
        np.save(file, np.ones(3))


@pytest.mark.parametrize(
    ("write", "told"),
    [
        (lambda path: path.write_text("<!DOCTYPE html><html>quota"), "a web page"),
        (
            lambda path: path.write_text("version https://git-lfs.github.com/spec/v1"),
            "the pointer of Git LFS",
        ),
        (lambda path: torch.jit.save(torch.jit.script(torch.nn.ReLU()), path), "a TorchScript"),
        (_save_array, "an array of numpy's"),
        (lambda path: _zip_of(path, weights=b"1"), "a zip archive of other files"),
        (lambda path: path.write_bytes(pickle.dumps([1, 2])), "a pickle that torch.save did not"),
        (lambda path: _as_tar(path), "a tar archive"),
    ],
)
def test_a_file_of_another_kind_is_told_by_its_kind(write, told, tmp_path):
    write(tmp_path / "other.pth")
    with pytest.raises(CheckpointError, match=f"is no torch checkpoint: it is {told}"):
        load_safely(tmp_path / "other.pth")


def _as_tar(path):
    with tarfile.open(path, "w") as archive:
        archive.addfile(tarfile.TarInfo("storages"), io.BytesIO())


@pytest.mark.parametrize(
    "content",
    [b"", b"not a checkpoint", b"PK\x03\x04 torn", b"<html>quota exceeded</html>", b"\x80\x02."],
)
def test_a_damaged_or_foreign_file_says_what_to_do(content, tmp_path):
    path = tmp_path / "broken.pth"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="download it again"):
        load_safely(path)


def test_a_truncated_checkpoint_is_refused(tmp_path):
    path = tmp_path / "whole.pth"
    save_atomically({"w": torch.arange(1000.0)}, path)
    whole = path.read_bytes()
    for kept in (10, 200, len(whole) // 2, len(whole) - 10):
        path.write_bytes(whole[:kept])
        with pytest.raises(CheckpointError):
            load_safely(path)


def test_the_tar_format_of_torch_0_1_is_refused(tmp_path):
    path = tmp_path / "ancient.pth"
    with tarfile.open(path, "w") as archive:
        archive.addfile(tarfile.TarInfo("storages"), io.BytesIO())
    with pytest.raises(CheckpointError):
        load_safely(path)


@pytest.mark.parametrize("zipped", [True, False])
def test_both_formats_of_torch_load(zipped, tmp_path):
    path = tmp_path / "weights.pth"
    torch.save({"w": torch.ones(3)}, path, _use_new_zipfile_serialization=zipped)
    assert torch.equal(load_safely(path)["w"], torch.ones(3))


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    for path in (tmp_path / "none.pth", tmp_path):
        with pytest.raises(CheckpointError, match="no checkpoint at"):
            load_safely(path)


def test_an_interrupted_save_leaves_the_older_file(tmp_path):
    path = tmp_path / "model.pth"
    save_atomically({"epoch": 1}, path)
    with pytest.raises((AttributeError, pickle.PicklingError)):
        save_atomically({"epoch": 2, "bad": lambda: None}, path)
    assert load_safely(path) == {"epoch": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["model.pth"]


def test_saving_over_a_folder_is_the_users_to_mend(tmp_path):
    (tmp_path / "model.pth").mkdir()
    with pytest.raises(UserError, match="cannot write"):
        save_atomically({}, tmp_path / "model.pth")


def _pickle_as(module: str):
    """Return a pickle module that names numpy's scalar as a numpy with that module would."""

    class Forged(_Forger):
        scalar_module = module

    class Module:
        Pickler = Forged

        @staticmethod
        def dump(obj, file, protocol=None):
            Forged(file, protocol).dump(obj)

    return Module
