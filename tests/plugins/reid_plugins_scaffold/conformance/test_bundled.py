"""The bundled components keep the contracts of their kinds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import pytest
from reid_plugins_scaffold.conformance.checking import (
    ConformanceCheck,
    checks_of_commands,
    checks_of_plugin,
    commands_of,
)

from reidcore.testing import conformance, make_plugins

# Those that take a second; tests of the zoo compare the others' outputs with Torchreid's.
MODELS = {
    "osnet_x0_25",
    "resnet18",
    "shufflenet",
    "squeezenet1_1",
}
# What synthetic draws by default takes long; `tests/plugins/reid_plugins_datasets` has data. The
# engine of CLIP-ReID trains its own networks alone, which its tests do.
APART = {
    ("datasets", "synthetic"),
    *(("datasets", name) for name in ("csv", "folder")),
    ("engines", "clipreid"),
}


def by_component() -> dict[tuple[str, str], list[ConformanceCheck]]:
    """Return the checks of each bundled component and command."""
    loaded = make_plugins()
    found = defaultdict(list)
    components = (each for plugin in loaded.active for each in checks_of_plugin(plugin, loaded, ()))
    for check in (*components, *checks_of_commands(commands_of("reidcore"))):
        if check.kind != "models" or check.name in MODELS:
            found[check.kind, check.name].append(check)
    return {key: checks for key, checks in found.items() if key not in APART}


@pytest.mark.parametrize(
    "checks", [pytest.param(v, id="-".join(k)) for k, v in by_component().items()]
)
def test_a_bundled_component_keeps_its_contracts(checks: Sequence[ConformanceCheck]) -> None:
    outcomes = [check.outcome() for check in checks]
    assert [outcome.text for outcome in outcomes if outcome.state == "failed"] == []
    assert any(outcome.state == "passed" for outcome in outcomes)


class TestTimm(conformance.ModelConformance):
    """A model of a family."""

    name = "timm/resnet10t"
