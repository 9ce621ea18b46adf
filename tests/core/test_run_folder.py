"""The lock of a run's folder, and what an earlier run left there."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from reidcore import _run_folder
from reidcore._files import check_writable
from reidcore._run_folder import (
    LOCK,
    EarlierRun,
    checkpoints_in,
    held_for_training,
    is_in_use,
    sole_writer,
)
from reidcore.errors import UserError

HOLDER = """
import os, sys, time
from reidcore._run_folder import sole_writer

with sole_writer(sys.argv[1]):
    if not os.fork():  # as a worker that outlives the process which is killed
        print(os.getpid(), flush=True)
    time.sleep(60)
"""

needs_locks = pytest.mark.skipif(_run_folder.fcntl is None, reason="has no such locks")


def filled(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text(name)
    return folder


# -- the lock --------------------------------------------------------------------------------------


@needs_locks
def test_a_second_writer_is_refused_with_the_first_ones_process_until_that_is_killed(
    tmp_path: Path,
) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    child = int(holder.stdout.readline())
    try:
        with pytest.raises(UserError, match=f"process {holder.pid} on .* since 2") as refused:
            sole_writer(tmp_path).__enter__()
        assert "data.save_dir=FOLDER" in str(refused.value)
        holder.kill()
        holder.wait()
        with sole_writer(tmp_path):  # the child is there still, and holds nothing
            os.kill(child, 0)
    finally:
        os.kill(child, signal.SIGKILL)
        holder.stdout.close()
    assert not (tmp_path / LOCK).exists()


@needs_locks
def test_one_process_does_not_write_twice_at_once_either(tmp_path: Path) -> None:
    with sole_writer(tmp_path):
        with pytest.raises(UserError, match=f"process {os.getpid()} on"):
            sole_writer(tmp_path).__enter__()
        assert (tmp_path / LOCK).exists()
    with sole_writer(tmp_path):
        pass


@needs_locks
def test_a_lock_whose_file_was_removed_meanwhile_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its holder removes it at the end, between another one's opening and locking."""
    lock, once = _run_folder.fcntl.flock, []

    def late(file: int, how: int) -> None:
        if not once:
            once.append((tmp_path / LOCK).unlink())
        lock(file, how)

    monkeypatch.setattr("reidcore._run_folder.fcntl.flock", late)
    with sole_writer(tmp_path):
        assert str(os.getpid()) in (tmp_path / LOCK).read_text()
    assert not _run_folder._held


@needs_locks
def test_without_locks_or_leave_to_write_one_goes_on_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    with sole_writer(tmp_path / "missing"):
        pass
    monkeypatch.setattr("reidcore._run_folder.fcntl.flock", none)
    with sole_writer(tmp_path), sole_writer(tmp_path):
        assert not list(tmp_path.iterdir())


@needs_locks
def test_a_link_in_the_locks_place_is_refused_and_its_target_left_alone(tmp_path: Path) -> None:
    target = filled(tmp_path, "thesis.tex") / "thesis.tex"
    (tmp_path / LOCK).symlink_to(target)
    with pytest.raises(UserError, match="-lock' is a link"):
        sole_writer(tmp_path).__enter__()
    assert target.read_text() == "thesis.tex"


@pytest.fixture
def of_another_user(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Return a function that takes leave to open locks in some way, as from other users."""
    real = os.open

    def forbid(how: int) -> None:
        def opened(path: os.PathLike[str], flags: int, *mode: int) -> int:
            if Path(path).name == LOCK and flags & os.O_ACCMODE in (how, os.O_RDWR):
                raise PermissionError(errno.EACCES, "Permission denied")
            return real(path, flags, *mode)

        monkeypatch.setattr("reidcore._run_folder.os.open", opened)

    return forbid


@needs_locks
def test_another_users_lock_is_heeded(
    tmp_path: Path, of_another_user: Callable[[int], None]
) -> None:
    with sole_writer(tmp_path):
        of_another_user(os.O_RDWR)
        with pytest.raises(UserError, match=r"another run writes to .*: process"):
            sole_writer(tmp_path).__enter__()
    (tmp_path / LOCK).write_text("left by a process that was killed")
    with sole_writer(tmp_path), pytest.raises(UserError, match="another run writes to"):
        sole_writer(tmp_path).__enter__()


@needs_locks
def test_a_lock_that_may_not_be_read_is_told(
    tmp_path: Path, of_another_user: Callable[[int], None], caplog: pytest.LogCaptureFixture
) -> None:
    filled(tmp_path, LOCK)
    of_another_user(os.O_RDONLY)
    with sole_writer(tmp_path):
        assert f"{tmp_path / LOCK} may not be read" in caplog.text


# -- an earlier run --------------------------------------------------------------------------------


@needs_locks
def test_a_folder_is_in_use_while_its_lock_is_held_and_asking_holds_none(tmp_path: Path) -> None:
    assert not is_in_use(tmp_path)
    assert not (tmp_path / LOCK).exists()
    with sole_writer(tmp_path):
        assert is_in_use(tmp_path)
    (tmp_path / LOCK).write_text("process 1 on a host that was switched off")
    assert not is_in_use(tmp_path)
    with sole_writer(tmp_path):
        pass


def test_checkpoints_are_known_by_their_names(tmp_path: Path) -> None:
    names = ["model.pth.tar-10", "model-interrupted.pth.tar-3", "b-best.pth.tar"]
    filled(tmp_path, *names, "notes.pth", "osnet.pth.tar", ".model.pth.tar-3", "results.json")
    assert sorted(path.name for path in checkpoints_in(tmp_path)) == sorted(names)
    assert checkpoints_in(tmp_path / "missing") == []


RUN = ("model.pth.tar-2", "model-best.pth.tar", "results.json", "test_results.json", "a.jsonl")


def test_an_earlier_runs_files_are_moved_aside_and_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    filled(tmp_path, *RUN, "notes.txt")
    filled(tmp_path / "drawn_x", "1.jpg")
    filled(tmp_path / "earlier-1", "results.json")
    EarlierRun(tmp_path).move_aside(["a.jsonl", "drawn_*"])
    aside = tmp_path / "earlier-2"
    assert {path.name for path in aside.iterdir()} == {*RUN, "drawn_x"}
    assert (aside / "drawn_x" / "1.jpg").is_file()
    assert {path.name for path in tmp_path.iterdir()} == {"earlier-1", "earlier-2", "notes.txt"}
    told = f"held another run (model.pth.tar-2 and 1 more): moved to {aside}"
    assert told in caplog.text


def test_they_are_removed_on_demand_and_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    filled(tmp_path, *RUN, "notes.txt", "b.txt")
    filled(tmp_path / "drawn_x", "1.jpg")
    kept = filled(tmp_path / "elsewhere", "1.jpg")
    (tmp_path / "drawn_y").symlink_to(kept)
    earlier = EarlierRun(tmp_path)
    earlier.move_aside(["a.jsonl", "drawn_*"], overwrites=True)
    left = {"notes.txt", "b.txt", "elsewhere"}
    assert {path.name for path in tmp_path.iterdir()} == {*left, "earlier-1"}
    earlier.give_way()
    assert {path.name for path in tmp_path.iterdir()} == left
    assert list(kept.iterdir())
    assert "Removed the files of the run before" in caplog.text


def test_where_no_checkpoint_and_no_result_is_nothing_is_moved(tmp_path: Path) -> None:
    filled(tmp_path, "test_results.json", "a.jsonl")
    EarlierRun(tmp_path).move_aside(["a.jsonl"])
    assert sorted(os.listdir(tmp_path)) == ["a.jsonl", "test_results.json"]
    earlier = EarlierRun(tmp_path)
    earlier.move_aside(["a.jsonl"], overwrites=True)
    earlier.give_way()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("overwrites", [False, True])
def test_what_cannot_be_moved_whole_stays_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, overwrites: bool
) -> None:
    filled(tmp_path, *RUN)
    real = Path.rename

    def fail(path: Path, target: Path) -> Path:
        if path == tmp_path / "results.json":
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(UserError, match=r"cannot make room in .*: Permission denied"):
        EarlierRun(tmp_path).move_aside(["a.jsonl"], overwrites)
    assert sorted(os.listdir(tmp_path)) == sorted(RUN)


@pytest.mark.parametrize("overwrites", [False, True])
def test_folders_of_other_runs_are_no_files_of_this_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, overwrites: bool
) -> None:
    caplog.set_level("INFO")
    filled(tmp_path, *RUN)
    filled(tmp_path / "earlier-1", "results.json")
    filled(tmp_path / "exp3", "model.pth.tar-3")
    filled(tmp_path / "extra", "1.jpg")
    earlier = EarlierRun(tmp_path)
    earlier.move_aside(["e*"], overwrites)
    assert (tmp_path / "earlier-2" / "extra").is_dir()
    earlier.give_way()
    assert (tmp_path / "earlier-1" / "results.json").is_file()
    assert (tmp_path / "exp3" / "model.pth.tar-3").is_file()
    assert ("--overwrite does not remove" in caplog.text) == overwrites


def test_a_user_may_remove_them_meanwhile(tmp_path: Path) -> None:
    filled(tmp_path, *RUN)
    earlier = EarlierRun(tmp_path)
    earlier.move_aside([], overwrites=True)
    (tmp_path / "earlier-1").rename(tmp_path / "mine")
    earlier.give_way()
    assert (tmp_path / "mine" / "model.pth.tar-2").is_file()


def test_a_run_that_goes_on_overwrites_nothing(tmp_path: Path) -> None:
    filled(tmp_path, "model.pth.tar-3")
    with held_for_training(tmp_path, [], starts_anew=False, overwrites=True) as earlier:
        assert checkpoints_in(tmp_path)
        earlier.give_way()
    assert checkpoints_in(tmp_path)


def test_a_process_goes_on_with_the_folder_of_its_own_run(tmp_path: Path) -> None:
    with held_for_training(tmp_path, [], starts_anew=False):
        filled(tmp_path, "model.pth.tar-1")
    with held_for_training(tmp_path, [], starts_anew=True):
        assert checkpoints_in(tmp_path)
    with held_for_training(tmp_path, [], starts_anew=True, overwrites=True):
        assert not checkpoints_in(tmp_path)


# -- writable or not -------------------------------------------------------------------------------


def test_a_folder_that_can_be_written_stays_as_it_was(tmp_path: Path) -> None:
    check_writable(tmp_path / "new" / "folder", "x=FOLDER")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("number", [errno.EROFS, errno.ENOSPC, errno.EDQUOT])
def test_one_that_cannot_be_is_told_with_what_chooses_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("tempfile.mkstemp" if number == errno.EROFS else "os.fsync", fail)
    with pytest.raises(UserError, match=f"{os.strerror(number)}. .*you may write to: x=FOLDER"):
        check_writable(tmp_path / "new", "x=FOLDER")
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="takes a limit of file sizes")
def test_a_disk_that_takes_a_few_bytes_is_full(tmp_path: Path) -> None:
    """Under a limit of file sizes, which stands for a disk with so much left."""
    code = (
        "import resource, sys\nfrom reidcore._files import check_writable\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "check_writable(sys.argv[1], 'x=FOLDER')\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True
    )
    assert "UserError: cannot write" in ended.stderr.replace("reidcore.errors.", "")
    assert os.listdir(tmp_path) == []


def test_a_file_in_a_folders_place_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Not a directory"):
        check_writable(filled(tmp_path, "log") / "log" / "run", "x=FOLDER")


def test_results_alone_are_a_run_too(tmp_path: Path) -> None:
    folder = filled(tmp_path, "results.json", "notes.txt")
    with held_for_training(folder, [], starts_anew=True):
        assert not (folder / "results.json").exists()
    assert (folder / "earlier-1" / "results.json").read_text() == "results.json"
    assert (folder / "notes.txt").exists()
