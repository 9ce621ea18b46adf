from __future__ import annotations

from rich.console import Console

from reidcore.cli import number, table, word


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
