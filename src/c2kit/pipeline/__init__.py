"""Missions: processors and links, composed."""
