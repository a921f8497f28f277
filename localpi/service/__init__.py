"""The daemon as a service of its user's session: systemd user units, a launchd agent, and those who rule them."""
