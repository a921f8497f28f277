"""What localpi keeps: two SQLite files, the package files, and both ends of a file that is still growing."""

from localpi.store.store import Store, open_store

__all__ = ["Store", "open_store"]
