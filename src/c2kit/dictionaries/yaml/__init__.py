"""Definitions in YAML, the native form: nodes of the parser to the model, each complaint with its place."""
