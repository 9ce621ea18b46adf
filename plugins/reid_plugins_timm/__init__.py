"""Bundled models: every backbone that timm knows, as ``timm/NAME``."""
