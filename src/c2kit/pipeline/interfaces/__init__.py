"""Links on the bus: bytes to frames, commands to bytes."""
