"""Arrays as people have them: their names, layouts and labels."""
