"""Tracklets of people."""
