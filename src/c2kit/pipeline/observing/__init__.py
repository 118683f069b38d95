"""What can be seen of a mission that runs."""
