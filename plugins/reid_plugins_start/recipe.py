"""The recipe of a training: everything that is chosen, tried for its speed, and written down."""

from __future__ import annotations

from reid_plugins_start.choices import (
    Choice,
    Machine,
    choose_batch,
    choose_epochs,
    choose_model,
    choose_rest,
    choose_size,
)
from reid_plugins_start.config_file import write_config
from reid_plugins_start.context import Context
from reidcore.cli import echo, find_device
from reidcore.errors import DataError, counted
from reidcore.utils import usable_cpus


def write_recipe(context: Context) -> None:
    """Choose what the training needs, tell it, and write the configuration.

    Raises:
        DataError: there is nobody to learn from.
    """
    from reid_plugins_start.probe import cached_weights, seconds_per_step

    facts, place = context.facts, context.place
    if facts.ids["train"] < 2:
        found = counted(facts.ids["train"], "identity", "identities")
        raise DataError(f"{found} to learn from, and two are needed", "Give more identities")
    device = find_device(context.wishes.device)
    machine = Machine(device.type, usable_cpus(), cached_weights(context.plugins))
    chosen = [*choose_model(facts, machine), *choose_size(facts, machine)]
    chosen.append(choose_batch(facts, machine))
    values = {choice.key: choice.value for choice in chosen}
    size, batch = (values["data.height"], values["data.width"]), values["train.batch_size"]
    step = seconds_per_step(values["model.name"], size, batch, facts.ids["train"], device)
    chosen.append(choose_epochs(facts, batch, step, context.wishes.minutes))
    for choice in chosen:
        echo(f"      {choice}")
    rest = choose_rest(facts, machine)
    rest.append(Choice("train.seed", context.wishes.seed, "another one gives another training"))
    echo(f"      {len(rest)} more with their reasons in {place.config}")
    chosen += rest
    write_config(place.config, context.dataset, context.table, facts.columns, chosen, place.run)
