"""The importers of the formats that own data comes in, one a module."""
