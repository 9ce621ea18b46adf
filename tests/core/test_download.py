"""Addresses and files over the network; the tests of stores have more ways to break off."""

from __future__ import annotations

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


def test_a_file_arrives_whole_after_a_break(host, tmp_path):
    host.files["a.bin"] = bytes(range(256)) * 40
    host.breaks = [1000]
    download(f"{host.address}/a.bin", tmp_path / "a.part")
    assert (tmp_path / "a.part").read_bytes() == host.files["a.bin"]
    assert host.asked == [("a.bin", None), ("a.bin", "bytes=1000-")]
    assert [file.name for file in tmp_path.iterdir()] == ["a.part"]


@pytest.mark.parametrize(
    ("value", "offline"), [("1", True), ("yes", True), ("0", False), ("", False)]
)
def test_offline_is_a_switch(monkeypatch, value, offline):
    monkeypatch.setenv("REIDCORE_OFFLINE", value)
    assert is_offline() is offline
