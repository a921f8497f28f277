"""What spans the rooms: bringing the daemon up and down, and telling how things are."""
