"""Layouts of other libraries' weight files: their keys under our names."""
