"""The settings of plugins, each judged by the schema its plugin registered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from reidcore.config.problems import Problem, from_validation
from reidcore.errors import PluginError, did_you_mean
from reidcore.plugins import current_plugins
from reidcore.registry import settings_schemas

if TYPE_CHECKING:
    from reidcore.plugins import Plugins


def check_settings(
    given: dict[str, Any], plugins: Plugins | None = None
) -> tuple[dict[str, BaseModel], list[Problem]]:
    """Read each plugin's settings into the model that it registered.

    A plugin that is not mentioned gets the defaults of its schema.

    Returns:
        Plugin name -> its settings, and the mistakes found.

    Raises:
        PluginError: a plugin registered a schema that is no pydantic model.
    """
    schemas = settings_schemas(plugins)
    problems = [_unclaimed(name, schemas, plugins) for name in given if name not in schemas]
    checked = {}
    for name, schema in schemas.items():
        if not (isinstance(schema, type) and issubclass(schema, BaseModel)):
            raise PluginError(
                f"the settings schema of plugin {name!r} is no pydantic model: {schema!r}",
                "That is a mistake in the plugin; tell its author.",
            )
        values = given.get(name) or {}
        try:
            checked[name] = schema.model_validate(values)
        except ValidationError as error:
            problems += from_validation(error, values, schema, ("settings", name))
    return checked, problems


def _unclaimed(name: str, schemas: dict[str, Any], plugins: Plugins | None) -> Problem:
    active = {plugin.name for plugin in (plugins or current_plugins()).active}
    if name in active:
        text = f"the plugin {name!r} takes no settings"
    else:
        near = did_you_mean(name, {*schemas, *active})
        text = f"no active plugin is named {name!r}. {near or 'Is it not installed?'} "
        text += "See: reidcore plugins"
    return Problem(("settings", name), text)
