"""The cache: what enters it is whole, is weights, and stays what it was."""

from __future__ import annotations

import hashlib
import io
import json
import multiprocessing
import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from filelock import FileLock

from reidcore.errors import CheckpointError, UserError
from reidcore.models.weights import PublishedWeights, WeightsStore, weights_dir


@pytest.fixture
def content(host) -> bytes:
    """A weights file of 200 kB, which is served."""
    buffer = io.BytesIO()
    torch.save({"weight": torch.arange(50_000.0)}, buffer)
    host.files["tiny.pth"] = buffer.getvalue()
    return host.files["tiny.pth"]


@pytest.fixture
def published(host, home):
    def make(**changes):
        row = {"name": "tiny", "filename": "tiny.pth", "url": f"{host.address}/tiny.pth"}
        return PublishedWeights(**{**row, **changes})

    return make


def visible():
    return sorted(file.name for file in weights_dir().iterdir() if not file.name.startswith("."))


def test_an_unknown_hash_is_recorded_and_checked_from_then_on(content, host, published):
    store = WeightsStore()
    path = store.require(published())
    assert path.read_bytes() == content
    recorded = json.loads((weights_dir() / "tiny.pth.json").read_text())
    assert recorded["sha256"] == hashlib.sha256(content).hexdigest()
    assert store.find(published()).state == "recorded"
    path.write_bytes(content[:-1] + b"?")
    with pytest.raises(CheckpointError) as caught:
        store.require(published())
    assert recorded["sha256"] in str(caught.value)
    assert hashlib.sha256(path.read_bytes()).hexdigest() in str(caught.value)
    assert "reidcore weights fetch --again tiny" in str(caught.value)
    store.fetch(published())
    assert store.require(published()).read_bytes() == content
    assert visible() == ["tiny.pth", "tiny.pth.json"]


@pytest.mark.parametrize(
    "record",
    [
        "[]",
        "5",
        "null",
        "{}",
        '{"sha256": 5}',
        '{"sha256": ""}',
        '{"sha256": "ab"}',
        "{",
        "[" * 9999,
    ],
)
def test_a_record_without_a_hash_is_refused(content, published, record):
    store = WeightsStore()
    store.require(published())
    (weights_dir() / "tiny.pth.json").write_text(record)
    with pytest.raises(CheckpointError, match=r"tiny.pth.json' records no SHA-256.*Remove it"):
        store.require(published())


def test_a_file_that_was_put_there_by_hand_is_recorded_as_well(content, host, published):
    weights_dir().mkdir(parents=True)
    (weights_dir() / "tiny.pth").write_bytes(content)
    assert WeightsStore().find(published()).state == "new"
    WeightsStore().require(published(url=""))
    assert WeightsStore().find(published()).state == "recorded"
    assert host.asked == []


def test_a_known_hash_is_checked(content, host, published):
    store = WeightsStore()
    digest = hashlib.sha256(content).hexdigest()
    with pytest.raises(UserError, match=f"expected sha256 {'0' * 64}, found {digest} in") as caught:
        store.require(published(sha256="0" * 64))
    assert str(weights_dir() / "tiny.pth") in str(caught.value)
    assert visible() == []
    store.require(published(sha256=digest[:8]))
    assert store.find(published(sha256=digest[:8])).state == "published"


def test_torchreids_own_cache_is_found_if_it_holds_the_same(content, host, published, home, caplog):
    folder = home / "torch" / "checkpoints"
    folder.mkdir(parents=True)
    (folder / "tiny.pth").write_bytes(content)
    store = WeightsStore()
    assert store.require(published()) == folder / "tiny.pth"
    assert host.asked == []
    (folder / "tiny.pth").write_bytes(b"something else")
    assert store.require(published()) == weights_dir() / "tiny.pth"
    assert "passed over" in caplog.text


def test_a_download_that_broke_off_is_told_and_starts_anew(content, host, published):
    host.breaks = [60_000]
    with pytest.raises(UserError, match=f"connection broke after 60,000 of {len(content):,} bytes"):
        WeightsStore().require(published())
    assert visible() == []
    assert WeightsStore().require(published()).read_bytes() == content
    assert host.asked == ["tiny.pth"] * 2
    assert visible() == ["tiny.pth", "tiny.pth.json"]


def test_a_broken_download_leaves_the_file_that_was_there(content, host, published):
    path = WeightsStore().require(published())
    host.breaks = [60_000]
    with pytest.raises(UserError, match="connection broke"):
        WeightsStore().fetch(published())
    assert path.read_bytes() == content


def test_a_web_page_instead_of_weights_is_quoted(host, published):
    host.files["tiny.pth"] = b"<html><title>Quota exceeded</title>Too many users</html>"
    host.kind = "text/html; charset=utf-8"
    with pytest.raises(UserError, match="found a web page that says 'Quota exceeded'"):
        WeightsStore().require(published())
    assert visible() == []


@pytest.mark.parametrize("sent", [b"", b"<html>no type</html>", b"PK\x03\x04 half a zip"])
def test_what_is_no_weights_file_stays_out(sent, host, published):
    host.files["tiny.pth"] = sent
    with pytest.raises(UserError, match=f"expected a file of weights, found {len(sent)} bytes"):
        WeightsStore().require(published())
    assert visible() == []


def test_a_file_that_asks_to_run_code_stays_out(host, published):
    class Evil:
        def __reduce__(self):
            return os.mkdir, ("PWNED",)

    buffer = io.BytesIO()
    torch.save({"state_dict": Evil()}, buffer)
    host.files["tiny.pth"] = buffer.getvalue()
    with pytest.raises(UserError, match=r"asks to run '\w+\.mkdir'"):
        WeightsStore().require(published())
    assert visible() == []


def test_a_missing_file_tells_the_servers_answer(host, published):
    with pytest.raises(UserError, match="the server answered 404"):
        WeightsStore().require(published())


@pytest.mark.parametrize("url", ["http://example.org/w.pth", "http://127.0.0.1.example.org/w.pth"])
def test_only_https_leads_out_of_this_machine(url, published):
    with pytest.raises(UserError, match="expected an https address, found"):
        WeightsStore().require(published(url=url))


def test_a_redirection_away_from_https_is_refused(host, published):
    url = f"{host.address}/to:http://example.org/tiny.pth"
    with pytest.raises(UserError, match="expected an https address"):
        WeightsStore().require(published(url=url))


def test_weights_without_an_address_name_the_place_to_put_them(published):
    with pytest.raises(UserError, match="no address") as caught:
        WeightsStore().require(published(url=""))
    assert str(weights_dir() / "tiny.pth") in str(caught.value)


def test_offline_nothing_is_asked_of_anybody(content, host, published, monkeypatch):
    monkeypatch.setenv("REIDCORE_OFFLINE", "1")
    with pytest.raises(UserError, match="switched off"):
        WeightsStore().require(published())
    assert host.asked == []
    monkeypatch.setenv("REIDCORE_OFFLINE", "0")
    WeightsStore().require(published())
    monkeypatch.setenv("REIDCORE_OFFLINE", "1")
    WeightsStore().require(published())


def test_a_mirror_is_asked_by_the_files_name(content, host, published, monkeypatch):
    host.files["copies/tiny.pth"] = content
    monkeypatch.setenv("REIDCORE_WEIGHTS_MIRROR", f"{host.address}/copies/")
    WeightsStore().require(published(url="https://example.org/elsewhere.pth"))
    assert host.asked == ["copies/tiny.pth"]


def _require(address, results):
    published = PublishedWeights(name="tiny", filename="tiny.pth", url=f"{address}/tiny.pth")
    results.put(WeightsStore().require(published).stat().st_size)


def test_several_processes_download_once(content, host, published):
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    processes = [context.Process(target=_require, args=(host.address, results)) for _ in range(3)]
    for process in processes:
        process.start()
    assert [results.get(timeout=30) for _ in processes] == [len(content)] * 3
    for process in processes:
        process.join()
    assert len(host.asked) == 1


def test_a_wait_for_another_process_is_told(content, host, published, caplog):
    caplog.set_level("INFO", "reidcore")
    weights_dir().mkdir(parents=True)
    lock = FileLock(weights_dir() / ".tiny.pth.lock")
    with lock, ThreadPoolExecutor() as threads:
        asked = threads.submit(WeightsStore().require, published())
        while "Waiting for another process that downloads tiny.pth" not in caplog.text:
            assert not asked.done()
            time.sleep(0.01)
        lock.release()
    assert asked.result(timeout=10).read_bytes() == content


def test_the_cache_follows_the_desktop_standard(monkeypatch, tmp_path):
    monkeypatch.delenv("REIDCORE_HOME", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert weights_dir() == tmp_path / "xdg" / "reidcore" / "weights"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert weights_dir() == tmp_path / ".cache" / "reidcore" / "weights"
