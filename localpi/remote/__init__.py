"""How the CLI and the TUI talk to the daemon: by http.client, free of proxy variables and of import cost."""
