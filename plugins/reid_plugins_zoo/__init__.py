"""Bundled models: the standard architectures beside OSNet."""
