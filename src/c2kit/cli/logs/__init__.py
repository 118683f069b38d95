"""``c2kit log``: what is in logs, whether it is whole, and how to get it out."""
