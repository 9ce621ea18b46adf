from __future__ import annotations

import json
import os
import signal
import stat
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reidcore import _files
from reidcore._files import (
    atomic_folder,
    atomic_path,
    atomic_write,
    check_isfile,
    mkdir_if_missing,
    read_json,
    remove_abandoned,
    write_json,
)
from reidcore.errors import UserError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def test_a_file_is_written_with_its_parents_and_without_remains(tmp_path) -> None:
    path = tmp_path / "new" / "folder" / "file.bin"
    with atomic_write(path) as file:
        file.write(b"whole")
        assert not path.exists()
    assert path.read_bytes() == b"whole"
    assert os.listdir(path.parent) == ["file.bin"]


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_a_failure_leaves_the_older_file_and_no_remains(tmp_path, failure) -> None:
    path = tmp_path / "file.bin"
    path.write_bytes(b"older")

    def write_half() -> None:
        with atomic_write(path) as file:
            file.write(b"half of the new")
            raise failure

    with pytest.raises(failure):
        write_half()
    assert path.read_bytes() == b"older"
    assert os.listdir(tmp_path) == ["file.bin"]


@pytest.mark.skipif(sys.platform == "win32", reason="permission bits are POSIX's")
def test_permissions_are_those_of_a_file_that_was_opened_for_writing(tmp_path) -> None:
    ordinary = tmp_path / "ordinary"
    ordinary.write_bytes(b"")
    with atomic_write(tmp_path / "atomic"):
        pass
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (ordinary, tmp_path / "atomic")]
    assert modes[0] == modes[1]


def test_a_full_disk_is_the_users_to_mend(tmp_path) -> None:
    path = tmp_path / "file.bin"
    path.write_bytes(b"older")

    def fill_the_disk() -> None:
        with atomic_write(path):
            raise OSError(28, "No space left on device")

    with pytest.raises(UserError, match=r"cannot write .*file\.bin.*No space left.*Free some"):
        fill_the_disk()
    assert path.read_bytes() == b"older"


def test_a_folder_in_the_place_of_a_file_is_told(tmp_path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(UserError, match=r"cannot write .*taken"):
        write_json({}, tmp_path / "taken")
    assert os.listdir(tmp_path) == ["taken"]


def test_a_file_in_the_place_of_a_folder_is_told(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"cannot create the folder .*below.*Choose a folder"):
        write_json({}, tmp_path / "file" / "below" / "results.json")


def test_an_unwritable_folder_is_told(tmp_path, monkeypatch) -> None:
    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    # Permission bits do not stop root, and tests may run as root.
    monkeypatch.setattr("reidcore._files.tempfile.mkstemp", refuse)
    with pytest.raises(UserError, match=r"cannot write .*results\.json.*Permission denied"):
        write_json({}, tmp_path / "results.json")


def test_making_a_folder_twice_is_no_mistake(tmp_path) -> None:
    for _ in range(2):
        mkdir_if_missing(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


@given(JSON)
def test_json_comes_back_as_it_was(tmp_path_factory, value) -> None:
    path = tmp_path_factory.getbasetemp() / "roundtrip.json"
    write_json(value, path)
    assert read_json(path) == value
    assert json.loads(path.read_bytes()) == value


def test_what_is_no_json_cannot_be_written_over_what_is(tmp_path) -> None:
    path = tmp_path / "results.json"
    write_json({"mAP": 0.5}, path)
    with pytest.raises(TypeError):
        write_json({"mAP": object()}, path)
    assert read_json(path) == {"mAP": 0.5}


@pytest.mark.parametrize("content", [b'{"half": ', b"\xff\xfe\x00"])
def test_a_broken_json_file_is_named(tmp_path, content) -> None:
    path = tmp_path / "broken.json"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"broken\.json' is not valid JSON"):
        read_json(path)


def test_a_missing_json_file_is_named(tmp_path) -> None:
    with pytest.raises(UserError, match=r"cannot read .*missing\.json.*No such file"):
        read_json(tmp_path / "missing.json")


def test_a_folder_is_no_file(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    assert check_isfile(str(tmp_path / "file"))
    assert not check_isfile(tmp_path)
    assert not check_isfile(tmp_path / "missing")


def abandon(folder: Path, name: str = "file.bin") -> Path:
    """Leave what a process that is killed leaves; return the temporary file."""
    pid = os.fork()
    if pid == 0:
        with atomic_write(folder / name) as file:
            file.write(b"half")
            file.flush()
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    return next(folder.glob(f".{name}.*"))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="takes a fork, and locks")
def test_what_a_killed_writer_left_is_removed_and_told(tmp_path, caplog) -> None:
    caplog.set_level("INFO")
    left = abandon(tmp_path)
    with atomic_write(tmp_path / "alive") as file, atomic_folder(tmp_path / "whole") as folder:
        file.write(b"alive")
        (folder / "file").touch()
        remove_abandoned(tmp_path)
    assert sorted(os.listdir(tmp_path)) == ["alive", "whole"]
    assert f"Removed {left}, which a process that was killed left half-written" in caplog.text
    assert caplog.text.count("Removed") == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="takes a fork, and locks")
def test_another_process_that_is_still_writing_is_left_alone(tmp_path) -> None:
    told, go = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        with atomic_write(tmp_path / "file.bin") as file:
            file.write(b"whole")
            os.write(told[1], b"!")
            os.read(go[0], 1)
        os._exit(0)
    os.read(told[0], 1)
    remove_abandoned(tmp_path)
    os.write(go[1], b"!")
    assert os.waitpid(pid, 0)[1] == 0
    assert os.listdir(tmp_path) == ["file.bin"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="takes a fork, and locks")
@pytest.mark.parametrize("write", [atomic_path, atomic_folder])
def test_the_first_to_write_into_a_folder_tidies_it(tmp_path, write) -> None:
    """So do downloads, archives, caches and everything else that is written whole or not at all."""
    (tmp_path / "folder").mkdir()
    abandon(tmp_path / "folder")
    with write(tmp_path / "folder" / "other"):
        pass
    assert os.listdir(tmp_path / "folder") == ["other"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="takes locks")
def test_only_temporary_files_of_ours_are_removed(tmp_path) -> None:
    (tmp_path / ".model.pth.tar-3.x7k2_9aq").write_bytes(b"half")  # as they were once named
    (tmp_path / ".results.json.0a1b2c3d.reidcore-partial").write_bytes(b"half")
    kept = [".notes.settings", "model.pth.tar-3", ".model.pth.tar-3", "file.reidcore-partial"]
    for name in kept:
        (tmp_path / name).touch()
    (tmp_path / ".link.0a1b2c3d.reidcore-partial").symlink_to(tmp_path / "model.pth.tar-3")
    remove_abandoned(tmp_path)
    assert sorted(os.listdir(tmp_path)) == sorted([*kept, ".link.0a1b2c3d.reidcore-partial"])


@pytest.mark.parametrize("name", ["missing", "file"])
def test_what_is_no_folder_has_nothing_to_remove(tmp_path, caplog, name: str) -> None:
    (tmp_path / "file").touch()
    with caplog.at_level("DEBUG"):
        remove_abandoned(tmp_path / name)
    assert (os.listdir(tmp_path), caplog.messages) == (["file"], [])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="takes locks")
def test_a_writer_whose_file_is_taken_before_it_is_locked_begins_again(
    tmp_path, monkeypatch
) -> None:
    locked, taken = _files._locked, []

    def late(path: Path) -> int | None:
        if not taken:
            taken.append(path)
            remove_abandoned(tmp_path)
        return locked(path)

    monkeypatch.setattr(_files, "_locked", late)
    with atomic_write(tmp_path / "file.bin") as file:
        file.write(b"whole")
    assert not taken[0].exists()
    assert os.listdir(tmp_path) == ["file.bin"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="takes locks")
def test_a_lock_on_a_file_that_was_taken_is_given_back(tmp_path, monkeypatch) -> None:
    locked, given = _files._locked, []

    def late(path: Path) -> int | None:
        given.append(locked(path))
        if len(given) == 1:
            path.unlink()
        return given[-1]

    monkeypatch.setattr(_files, "_locked", late)
    with atomic_write(tmp_path / "file.bin") as file:
        with suppress(OSError):  # the number is free, or that of another file
            assert os.fstat(given[0]).st_nlink == 1
        file.write(b"whole")
    assert len(given) == 2


def test_names_that_are_no_text_survive_in_json(tmp_path: Path) -> None:
    names = ["caf\udce9.jpg", "Zoë", "\ud800", "\x1b"]
    write_json({"left_out": names}, tmp_path / "record.json")
    assert read_json(tmp_path / "record.json") == {"left_out": names}
    assert b"\\udce9" in (tmp_path / "record.json").read_bytes()
