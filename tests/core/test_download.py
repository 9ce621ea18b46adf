"""Addresses and files over the network."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from reidcore._download import check_address, direct_address, download, is_offline
from reidcore.errors import UserError


@pytest.mark.parametrize(
    "url",
    [
        "https://drive.google.com/uc?id=1LaG1-x_F",
        "https://drive.google.com/uc?export=download&id=1LaG1-x_F",
        "https://drive.google.com/file/d/1LaG1-x_F/view?usp=sharing",
    ],
)
def test_google_drive_is_asked_for_the_file_and_not_for_a_page_about_it(url):
    assert direct_address(url) == (
        "https://drive.usercontent.google.com/download?id=1LaG1-x_F&export=download&confirm=t"
    )
    assert direct_address("https://example.org/uc?id=3") == "https://example.org/uc?id=3"


@pytest.mark.parametrize("url", ["http://example.org/a", "ftp://localhost/a", "file:///etc/passwd"])
def test_only_https_or_this_machine_is_asked(url):
    with pytest.raises(UserError, match="expected an https address"):
        check_address(url)


LIMITS = {"max_bytes": 1 << 20, "max_seconds": 10.0}


@pytest.fixture
def served(host) -> bytes:
    """The contents of ``a.bin``, which is served."""
    host.files["a.bin"] = bytes(range(256)) * 40
    return host.files["a.bin"]


@pytest.mark.parametrize("lengths", [True, False])
def test_a_file_arrives_whole(host, served, tmp_path, lengths):
    host.lengths = lengths
    target = tmp_path / "folder" / "a.bin"
    digest = download(f"{host.address}/a.bin", target, **LIMITS)
    assert target.read_bytes() == served
    assert digest == hashlib.sha256(served).hexdigest()
    assert list(target.parent.iterdir()) == [target]


def refused(host, tmp_path, match, **changes):
    """Make sure that a download fails, and leaves the older file and nothing else."""
    target = tmp_path / "a.bin"
    target.write_text("older")
    with pytest.raises(UserError, match=match):
        download(f"{host.address}/a.bin", target, **{**LIMITS, **changes})
    assert target.read_text() == "older"
    assert list(tmp_path.iterdir()) == [target]


def test_a_broken_connection_is_told_with_what_came(host, served, tmp_path):
    host.breaks = [1000]
    refused(host, tmp_path, "the connection broke after 1,000 of 10,240 bytes")


def test_another_hash_is_refused(host, served, tmp_path):
    refused(host, tmp_path, "expected sha256 00ff, found [0-9a-f]{64} in 10,240", sha256="00ff")


def test_what_is_not_valid_is_refused(host, served, tmp_path):
    def validate(partial):
        assert partial.read_bytes() == served
        raise UserError("not what was wanted")

    refused(host, tmp_path, "not what was wanted", validate=validate)


@pytest.mark.parametrize(
    ("lengths", "told"), [(True, "has 10,240 bytes, and 99 are"), (False, "more than 99 bytes")]
)
def test_too_large_a_file_is_refused(host, served, tmp_path, lengths, told):
    host.lengths = lengths
    refused(host, tmp_path, told, max_bytes=99)


def test_a_slow_server_is_left_at_the_deadline(host, served, tmp_path):
    host.pause = 0.1
    began = time.monotonic()
    refused(host, tmp_path, "it took too long: [0-9,]+ bytes came", max_seconds=0.25)
    assert time.monotonic() - began < 0.9


def test_a_web_page_is_refused_with_its_title(host, served, tmp_path):
    host.kind = "text/html; charset=utf-8"
    host.files["a.bin"] = b"<html><title>Quota\nexceeded</title>Too many users</html>"
    refused(host, tmp_path, "found a web page that says 'Quota exceeded'")


def test_a_redirect_must_stay_on_https(host, served, tmp_path):
    download(f"{host.address}/to:{host.address}/a.bin", tmp_path / "a.bin", **LIMITS)
    with pytest.raises(UserError, match=r"expected an https address, found 'http://plain\.test/a'"):
        download(f"{host.address}/to:http://plain.test/a", tmp_path / "b.bin", **LIMITS)


def test_no_server_is_told(tmp_path):
    with pytest.raises(UserError, match="refused"):
        download("http://localhost:9/a.bin", tmp_path / "a.bin", **LIMITS)


@contextmanager
def answering(*parts: bytes, pause: float = 0.0) -> Iterator[str]:
    """Serve one answer, as it stands and in these parts; gives its address."""

    def answer() -> None:
        with suppress(OSError), listening.accept()[0] as connection:
            connection.recv(1 << 16)
            for part in parts:
                connection.sendall(part)
                time.sleep(pause)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/a.bin"
        listening.close()
        thread.join(timeout=20)


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("begin", [b"", OK + b"X: ", CHUNKED + b"2;", CHUNKED + b"3\r\nabc\r\n1;"])
def test_a_server_that_drips_is_left_at_the_deadline_wherever_it_is(begin, tmp_path):
    drops = [b"x"] * 60
    with (
        answering(begin, *drops, b"\r\n\r\n", pause=0.05) as address,
        pytest.raises(UserError, match=r"it took too long: [0-9,]+ bytes came"),
    ):
        download(address, tmp_path / "a.bin", max_bytes=1 << 20, max_seconds=0.5)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("length", ["abc", "-5", "1e3", "9" * 5000, "3, 3", "\xb2"])
def test_a_length_that_is_none_is_refused(length, tmp_path):
    head = OK + f"Content-Length: {length}\r\n\r\n".encode("latin-1")
    with (
        answering(head, b"abc") as address,
        pytest.raises(UserError, match=r"the server says that the file has .* bytes"),
    ):
        download(address, tmp_path / "a.bin", **LIMITS)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\0" * 99,
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 " + b"9" * 5000 + b" OK\r\n\r\n",
        OK + b"A: " + b"x" * 70_000 + b"\r\n\r\n",
        OK + b"A: b\r\n" * 999 + b"\r\n",
        CHUNKED + b"zz\r\nabc",
        CHUNKED + b"-5\r\nabc",
        b"HTTP/1.1 302 Found\r\nLocation: https://[::1/a\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: https://a:b/\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: https://" + b"a" * 70 + b".com/\r\n\r\n",
    ],
)
def test_an_answer_that_is_none_is_told(answer, tmp_path):
    with answering(answer) as address, pytest.raises(UserError):
        download(address, tmp_path / "a.bin", **LIMITS)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("value", "offline"), [("1", True), ("yes", True), ("0", False), ("", False)]
)
def test_offline_is_a_switch(monkeypatch, value, offline):
    monkeypatch.setenv("REIDCORE_OFFLINE", value)
    assert is_offline() is offline
