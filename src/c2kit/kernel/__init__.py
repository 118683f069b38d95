"""The only place where bits are touched."""
