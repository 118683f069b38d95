"""Stages that keep what they take outside the bus."""
