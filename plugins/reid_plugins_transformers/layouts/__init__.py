"""Layouts of published weight files: their keys under our names."""
