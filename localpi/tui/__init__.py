"""The terminal UI: places that look, deeds that do, a `Desk` that both ask. Nothing here waits for the daemon."""
