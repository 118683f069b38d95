"""What a script composes: missions, checked, as plain data."""
