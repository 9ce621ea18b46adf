from __future__ import annotations

import base64
import hashlib
import re
from html import unescape

from reid_plugins_report.page import Html, Section, tag
from reid_plugins_report.page.document import Chapter, document


def test_the_policy_allows_this_script_and_this_style_alone() -> None:
    page = document("t", "s", Html(""), [])
    policy = unescape(re.search(r'content="(default-src[^"]*)"', page)[1])
    for name, element in (("script", "script"), ("style", "style")):
        content = re.search(rf"<{element}>(.*?)</{element}>", page, re.S)[1]
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert " style=" not in page


def test_sections_of_one_title_have_places_of_their_own() -> None:
    sections = [Section("Twice", tag("p", "x")), Section("Twice", tag("p", "y"))]
    page = document("t", "s", Html(""), [Chapter("a", sections), Chapter("a!", [])])
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    links = re.findall(r'href="#([^"]+)"', page)
    assert set(links) <= set(ids)
    assert len(links) == 5  # four in the contents, one that skips them
