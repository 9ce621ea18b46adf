from __future__ import annotations

import pytest

from reidcore.plugins.attribution import owner_of_error

OWNERS = {
    "shop.hooks": "shop",
    "shop_too": "shop too",
    "company.reid.cars": "cars",
    "company.reid.boats": "boats",
    "reid_plugins_standard": "standard",
}


def error_through(*modules: str) -> BaseException:
    """Return an error whose traceback passes through these modules, outermost first."""
    inner = "raise ValueError('inside')"
    call = None
    for module in reversed(modules):
        scope = {"__name__": module, "call": call}
        exec(f"def run():\n    {'call()' if call else inner}", scope)
        call = scope["run"]
    with pytest.raises(ValueError, match="inside") as caught:
        call()
    return caught.value


@pytest.mark.parametrize(
    ("modules", "owner"),
    [
        (["reidcore.cli.run", "reidcore.engine.engine", "shop.hooks"], "shop"),
        (["reidcore.engine.engine", "shop.hooks.deep"], "shop"),
        (["reidcore.engine.engine", "shop.losses"], "shop"),
        (["reidcore.engine.engine", "shop.hooks", "torch.nn.functional", "torch._C"], "shop"),
        (["reidcore.engine.engine", "shop_too"], "shop too"),
        (["reidcore.engine.engine", "company.reid.boats.loss"], "boats"),
        (["reidcore.registry", "reid_plugins_standard"], "standard"),
        (["shop.hooks", "reidcore.engine.engine"], None),
        (["reidcore.engine.engine", "torch.nn.functional"], None),
        (["reidcore.engine.engine", "shopping"], None),
        (["elsewhere"], None),
    ],
)
def test_the_innermost_known_code_is_at_fault(modules, owner) -> None:
    assert owner_of_error(error_through(*modules), OWNERS) == owner


def test_an_error_that_was_never_raised_is_nobodys() -> None:
    assert owner_of_error(ValueError("fresh"), OWNERS) is None
    assert owner_of_error(error_through("shop.hooks"), {}) is None
