"""Tables in Markdown and LaTeX, with what would be a command there written out."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from reid_plugins_runs.sheet import Column, Sheet, as_latex

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


@settings(max_examples=40)
@given(st.text(max_size=30))
def test_a_cell_stays_one_cell_in_one_line(text) -> None:
    sheet = Sheet([Column("a"), Column("b")], [[text, "1"]])
    assert len(sheet.markdown().split("\n")) == 3
    assert sheet.markdown().split("\n")[2].replace("\\\\", "").replace("\\|", "").count("|") == 3
    assert len(sheet.latex().split("\n")) == 7
    assert sheet.latex().split("\n")[4].replace(r"\&", "").count("&") == 1
