"""Datasets of your own, without code."""
