"""Ready recipes: YAML files that run by their name, as in ``reidcore run bot_r50``."""
