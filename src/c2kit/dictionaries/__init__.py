"""Dictionaries: definitions of targets, read from files and proven sound."""

from c2kit.dictionaries.dictionary import Dictionary

__all__ = ["Dictionary"]
