"""The commands ``reidcore export`` and ``reidcore weights export``."""
