"""The live pipeline, measured: from a socket by the bus to telemetry and the log."""
