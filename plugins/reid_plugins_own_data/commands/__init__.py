"""The commands of own data."""
