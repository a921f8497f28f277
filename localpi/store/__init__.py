"""What localpi keeps: two SQLite files, the package files, and both ends of a file that is still growing."""
