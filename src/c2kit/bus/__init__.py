"""Streams of records: the contract and its implementations."""
