"""Ready recipes: YAML files that run by their name, as in ``reidcore run layumi_dinov3``."""
