"""HTTP: the only room with Flask. One blueprint per flow, the guard in front, the hot bytes below it."""
