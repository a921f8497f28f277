"""What stands above a place and asks: every dialog ends with a value, None when it was left."""
