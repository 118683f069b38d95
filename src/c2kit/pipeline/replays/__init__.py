"""What was logged, once more."""
