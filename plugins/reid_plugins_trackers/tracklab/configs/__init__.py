"""What Hydra finds when a configuration names ``modules/reid: reidcore``."""
