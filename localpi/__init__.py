"""A Python package index that belongs to one person and runs on that person's machine."""

__version__ = "0.1.0"
