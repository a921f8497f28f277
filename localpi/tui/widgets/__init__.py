"""What draws: tables, top bar, panels. They know no desk."""
