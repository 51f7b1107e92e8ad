"""Encryption at rest: the key ring, encrypted fields and files, keyed search tokens, shredding."""
