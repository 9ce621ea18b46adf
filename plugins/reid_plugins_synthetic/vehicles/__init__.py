"""Procedural vehicles by several cameras, as crops of one's own data look.

`fleet` says which vehicles exist, `shapes` what their bodies look like from the side; `solid` and
`marks` paint them, `filming` photographs them, and `make` writes a folder for each.
"""
