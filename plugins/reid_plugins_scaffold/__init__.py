"""New plugin packages, for ``reidcore new``."""
