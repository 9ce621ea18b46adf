"""What can be begun with: the kinds of packages, and what their texts say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reid_plugins_scaffold.naming import Names


@dataclass(frozen=True)
class Draft:
    """A kind of package.

    Attributes:
        kinds: what the registry calls components of the kind; empty for what is none.
        factory: what is registered, in the module of the kind's name; empty where the template
            registers by itself.
        command: the first command to type, with ``NAME`` for the name.
    """

    kinds: str
    factory: str
    command: str

    def words(self, names: Names) -> dict[str, str]:
        """Return what the templates say of the kind, and of this package."""
        is_command = names.kind == "command"
        target = f"{names.module}.command:command" if is_command else names.module
        listed = f"ls {self.kinds}" if self.kinds else "--help" if is_command else "plugins"
        return {
            "kinds": self.kinds,
            "factory": self.factory.replace("PREFIX", names.prefix),
            "group": "reidcore.commands" if is_command else "reidcore",
            "point": names.command if is_command else names.name,
            "target": target,
            "command": self.command.replace("NAME", names.name).replace("COMMAND", names.command),
            "listing": f"`reidcore {listed}` lists it.",
        }


DRAFTS = {
    "dataset": Draft(
        "datasets", "read", "reidcore run quickstart -s NAME -t NAME --root reid-data"
    ),
    "model": Draft("models", "PREFIXNet", "reidcore run quickstart model.name=NAME"),
    "loss": Draft(
        "losses", "PREFIXLoss", 'reidcore run quickstart "loss.terms={softmax: 1.0, NAME: 0.5}"'
    ),
    "engine": Draft("engines", "PREFIXEngine", "reidcore run quickstart loss.name=NAME"),
    "sampler": Draft(
        "samplers", "PREFIXSampler", "reidcore run quickstart sampler.train_sampler=NAME"
    ),
    "transform": Draft(
        "transforms", "PREFIXTransform", 'reidcore run quickstart "data.transforms=[NAME]"'
    ),
    "protocol": Draft("protocols", "PREFIXProtocol", "reidcore run quickstart test.protocol=NAME"),
    "optimizer": Draft("optimizers", "make", "reidcore run quickstart train.optim=NAME"),
    "scheduler": Draft("schedulers", "make", "reidcore run quickstart train.lr_scheduler=NAME"),
    "recipe": Draft("configs", "", "reidcore run NAME"),
    "command": Draft("", "", "reidcore COMMAND --help"),
    "step": Draft("", "", "reidcore run quickstart"),
}
"""Kind -> what is written for it."""
