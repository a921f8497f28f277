"""What localpi does: users, indexes, resolution, freshness, health, downloads, uploads, removal."""
