"""Definitions of telemetry and commands: frozen values without I/O."""
