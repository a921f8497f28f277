"""Where things lie, what is set and by whom, and where the running daemon listens."""
