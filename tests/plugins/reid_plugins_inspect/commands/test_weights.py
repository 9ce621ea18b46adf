"""``reidcore weights``, with files that this machine serves."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.program import Ended, Program, run


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """The address of a folder with a file of weights, ``tiny.pth``."""
    folder = tmp_path / "served"
    folder.mkdir()
    torch.save({"weight": torch.ones(3)}, folder / "tiny.pth")

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def weights(tmp_path, served, monkeypatch) -> Program:
    """Run ``reidcore weights`` here, with a plugin that publishes ``tiny``."""
    monkeypatch.setenv("REIDCORE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("REIDCORE_OFFLINE", "")
    monkeypatch.setenv("COLUMNS", "200")
    plugin = tmp_path / "shop.py"
    plugin.write_text(
        "from reidcore import hookimpl\n\n\n"
        "@hookimpl\ndef reid_register_weights(registry):\n"
        f"    row = {{'filename': 'tiny.pth', 'url': '{served}/tiny.pth', 'licence': 'CC0'}}\n"
        "    registry.add('tiny', lambda: row)\n"
    )

    def weights(*words: str, before: tuple[str, ...] = ()) -> Ended:
        return run("-p", plugin, *before, "weights", *words)

    return weights


def row(weights: Program, name: str) -> dict[str, Any]:
    code, out, _ = weights("ls", "--json")
    assert code == 0
    return next(each for each in json.loads(out) if each["name"] == name)


def test_fetch_ls_verify(weights: Program, tmp_path: Path) -> None:
    assert row(weights, "tiny")["path"] is None
    assert row(weights, "osnet_x1_0")["licence"] == "MIT"
    file = tmp_path / "home" / "weights" / "tiny.pth"
    code, out, _ = weights("fetch", "tiny")
    assert code == 0
    assert out.endswith("(fetched)\n")
    assert weights("fetch", "tiny")[1].endswith("(here already)\n")
    here = row(weights, "tiny")
    assert here["path"] == str(file)
    assert here["bytes"] == file.stat().st_size
    assert (here["plugin"], here["hash"], here["licence"]) == ("shop", "recorded", "CC0")
    code, out, _ = weights("verify")
    assert code == 0
    assert f"{file}: sha256 {here['sha256']}, as recorded" in out
    file.write_bytes(file.read_bytes() + b"x")
    code, _, err = weights("verify", "tiny")
    assert code == 2
    assert f"expected sha256 {here['sha256']}, found " in err
    assert "1 of 1 file with another hash than expected" in err
    assert "reidcore weights fetch --again tiny" in err
    assert weights("fetch", "tiny")[0] == 2
    assert weights("fetch", "--again", "tiny")[0] == 0
    code, out, _ = weights("verify")
    assert code == 0
    assert f"all whole: 1 file in {file.parent}" in out


def test_the_table_shows_what_is_here(weights: Program) -> None:
    weights("fetch", "tiny")
    _, out, _ = weights("ls")
    lines = {line.split()[0]: line for line in out.splitlines()}
    assert lines["name"].split() == ["name", "here", "hash", "licence", "origin"]
    assert lines["tiny"].split()[1:5] == ["0.0", "MB", "recorded", "CC0"]
    assert lines["osnet_x0_25"].split()[1:4] == ["-", "unknown", "MIT"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_table_has_a_line_for_each_in_a_narrow_terminal(weights: Program, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "dumb")  # without colours
    monkeypatch.setattr("io.StringIO", Terminal)  # where the output goes
    _, out, _ = weights("ls")
    heading, *lines = out.splitlines()
    names = [record["name"] for record in json.loads(weights("ls", "--json")[1])]
    assert [line.split()[0] for line in lines] == names
    assert all(len(line) <= 80 for line in (heading, *lines))


def test_a_mirror_is_asked_instead(weights: Program, served: str) -> None:
    code, _, err = weights("fetch", "--mirror", f"{served}/nowhere", "tiny")
    assert code == 2
    assert f"from {served}/nowhere/tiny.pth: the server answered 404" in err


def test_offline_is_a_global_option(weights: Program) -> None:
    code, _, err = weights("fetch", "tiny", before=("--offline",))
    assert code == 2
    assert "downloads are switched off" in err


def test_unknown_and_absent_weights_are_told(weights: Program) -> None:
    code, _, err = weights("fetch", "tine")
    assert code == 2
    assert "Did you mean 'tiny'" in err
    code, _, err = weights("verify", "tiny")
    assert code == 2
    assert "Run: reidcore weights fetch tiny" in err


def test_show_tells_a_row_and_its_table() -> None:
    code, shown, _ = run("show", "weights", "osnet_x1_0")
    assert code == 0
    assert "from plugin osnet of reidcore: reid_plugins_osnet:weights.yaml" in shown
    assert "filename: osnet_x1_0_imagenet.pth" in shown
