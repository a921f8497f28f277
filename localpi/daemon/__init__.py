"""The process: waitress's loop, lock, listening sockets, log, readiness, chores; the only composition root."""
