"""Tables in Markdown and LaTeX, with what would be a command there written out."""

from __future__ import annotations

from io import StringIO

from hypothesis import given, settings
from hypothesis import strategies as st
from reid_plugins_runs.sheet import Column, Sheet, as_latex
from rich.console import Console

SHEET = Sheet(
    [Column("run"), Column("mAP", is_number=True)],
    [["log/a_1", "41.0 ± 0.4"], ["50% | x", "9.5"]],
    "Results (%)",
)


def test_latex() -> None:
    assert SHEET.latex().splitlines() == [
        "% Results (%)",
        r"\begin{tabular}{lr}",
        r"  \toprule",
        r"  run & mAP \\",
        r"  \midrule",
        r"  log/a\_1 & 41.0 $\pm$ 0.4 \\",
        r"  50\% | x & 9.5 \\",
        r"  \bottomrule",
        r"\end{tabular}",
    ]


def test_markdown() -> None:
    assert SHEET.markdown().splitlines() == [
        "### Results (%)",
        "",
        r"| run      |        mAP |",
        r"| -------- | ---------: |",
        r"| log/a\_1 | 41.0 ± 0.4 |",
        r"| 50% \| x |        9.5 |",
    ]


def test_latex_escapes_each_of_its_characters() -> None:
    assert as_latex("a&b_{c}^~\\#$") == (
        r"a\&b\_\{c\}\textasciicircum{}\textasciitilde{}\textbackslash{}\#\$"
    )


def test_a_narrow_terminal_folds_numbers_and_cuts_none() -> None:
    columns = [Column("target"), *(Column(f"figure {n}", is_number=True) for n in range(4))]
    cells = [f"+{n}.5 [-16.{n}, +10.{n}]" for n in range(4)]
    shown = Sheet(columns, [["synthetic", *cells]], "of a long title").rich(50)
    out = Console(width=50, file=StringIO())
    out.print(shown)
    text = out.file.getvalue()
    assert max(map(len, text.splitlines())) <= 50
    assert "…" not in text
    assert "synthetic" in text
    assert all(number in text for cell in cells for number in cell.split())


def test_a_terminal_that_is_too_narrow_for_all_names_folds_them_and_cuts_nothing() -> None:
    names = ["log/market1501/seed=1", "finished", "osnet_ain_x1_0", "market1501"]
    numbers = ["150/150", "12.3", "45.6", "12,345", "2026-01-02 03:04"]
    columns = [Column("name")] * 4 + [Column("number", is_number=True)] * 5
    out = Console(width=80, file=StringIO())
    out.print(Sheet(columns, [[*names, *numbers]]).rich(80))
    text = out.file.getvalue()
    assert max(map(len, text.splitlines())) <= 80
    assert all(word in text for cell in numbers for word in cell.split())
    shown = "".join([*(column.heading for column in columns), *names, *numbers])
    assert sorted("".join(text.split())) == sorted("".join(shown.split()))


def test_a_title_is_in_one_line() -> None:
    out = Console(width=80, file=StringIO())
    out.print(Sheet([Column("a")], [["b"]], "mAP (%) [95 % interval]").rich())
    assert out.file.getvalue().splitlines()[0].strip() == "mAP (%) [95 % interval]"


@settings(max_examples=40)
@given(st.text(max_size=30))
def test_a_cell_stays_one_cell_in_one_line(text) -> None:
    sheet = Sheet([Column("a"), Column("b")], [[text, "1"]])
    assert len(sheet.markdown().split("\n")) == 3
    assert sheet.markdown().split("\n")[2].replace("\\\\", "").replace("\\|", "").count("|") == 3
    assert len(sheet.latex().split("\n")) == 7
    assert sheet.latex().split("\n")[4].replace(r"\&", "").count("&") == 1
