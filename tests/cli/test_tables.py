from __future__ import annotations

import pytest
from rich.console import Console

from reidcore.cli import console, number, table, word


def test_names_are_never_cut_and_numbers_stand_on_the_right() -> None:
    shown = table("name", "summary", number("size"), word("plugin"), title="models")
    shown.add_row("osnet_x1_0", "a network that is small " * 3, "2.19 M", "osnet")
    console = Console(width=60)
    with console.capture() as capture:
        console.print(shown)
    lines = capture.get().splitlines()
    assert lines[0].strip() == "models"
    assert lines[1].split() == ["name", "summary", "size", "plugin"]
    assert lines[2].startswith("osnet_x1_0 ")
    assert lines[2].rstrip().endswith("2.19 M  osnet")


def test_cells_are_text_and_no_markup_and_steer_no_terminal() -> None:
    shown = table("name", "summary", title="[b]\x1b[2J")
    shown.add_row("[/]shop[a]", "caf\udce9 \u202e")
    console = Console(width=60)
    with console.capture() as capture:
        console.print(shown)
    title, _, row = capture.get().splitlines()
    assert title.strip() == r"[b]\x1b[2J"
    assert row.split() == ["[/]shop[a]", r"caf\udce9", r"\u202e"]


def test_a_cell_is_one_line() -> None:
    shown = table("name", "summary")
    shown.add_row("shop\nosnet  a network", "a shop")
    console = Console(width=60)
    with console.capture() as capture:
        console.print(shown)
    _, row = capture.get().splitlines()
    assert row.split() == [r"shop\nosnet", "a", "network", "a", "shop"]


def test_a_pipe_gets_whole_rows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    shown = table("name", "summary", word("plugin"))
    shown.add_row("osnet_x1_0", "a network that is small " * 20, "osnet")
    console().print(shown)
    heading, row = capsys.readouterr().out.splitlines()
    assert row.startswith("osnet_x1_0  a network that is small a network")
    assert row.endswith("osnet")
    assert heading.split() == ["name", "summary", "plugin"]
    assert heading == heading.rstrip()


def test_a_terminal_gets_rows_of_its_width(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "dumb")  # has 80 columns, and no colours
    shown = table("name", "summary")
    shown.add_row("osnet_x1_0", "a network that is small " * 20)
    console().print(shown)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 5
    assert max(map(len, lines)) <= 80
