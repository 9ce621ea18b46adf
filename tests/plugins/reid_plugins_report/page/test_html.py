from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reid_plugins_report.page import Html, joined, tag

from reidcore.errors import printable


def test_text_is_escaped_and_html_is_not() -> None:
    inner = tag("b", "<script>alert('1')</script> & \"more\"")
    assert tag("p", inner, " < ", 3, None, ["a", tag("br")]) == (
        "<p><b>&lt;script&gt;alert(&#x27;1&#x27;)&lt;/script&gt; &amp; &quot;more&quot;</b>"
        " &lt; 3a<br></p>"
    )


def test_attributes() -> None:
    assert tag("a", class_="x", aria_label='"><i>', tabindex="0", hidden=True, title=None) == (
        '<a class="x" aria-label="&quot;&gt;&lt;i&gt;" tabindex="0" hidden></a>'
    )
    assert tag("line", x1=1.0, y2=2.25, open=False) == '<line x1="1" y2="2.25"></line>'


@pytest.mark.parametrize("name", ["p onclick=x", "", "1", "a>", "p\n"])
def test_names_cannot_break_out(name) -> None:
    with pytest.raises(ValueError, match="no name of an element"):
        tag(name)
    with pytest.raises(ValueError, match="no name of an element"):
        tag("p", **{name: "x"})


class Reader(HTMLParser):
    """Takes in what a browser would: elements, attributes and text."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.given: list[str | None] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.given += [value for _, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


@settings(max_examples=40)
@given(st.text())
def test_any_text_comes_through_as_text(text) -> None:
    reader = Reader()
    reader.feed(str(tag("p", text, title=text)))
    reader.close()
    shown = printable(text)
    assert (reader.elements, reader.given, reader.text) == (["p"], [shown], shown)


def test_what_hides_or_turns_text_is_shown() -> None:
    assert joined("a\u202eb\x1b[0m\udcff") == Html("a\\u202eb\\x1b[0m\\udcff")
