"""Ready recipes: YAML files that run by their name, as in ``reidcore run transreid_vit_b``."""
