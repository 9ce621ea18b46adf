"""What the plugin says where timm is missing."""

from __future__ import annotations

import subprocess
import sys

WITHOUT_TIMM = """
import sys
sys.modules["timm"] = None
from reidcore.errors import UserError
from reidcore.models import build_model
try:
    build_model("transreid_vit_b", 5, pretrained=False)
except UserError as error:
    print(error)
"""


def test_without_timm_the_extra_is_named() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TIMM], capture_output=True, text=True, check=True
    )
    assert "transreid_vit_b" in done.stdout
    assert "reidcore[transformers]" in done.stdout
