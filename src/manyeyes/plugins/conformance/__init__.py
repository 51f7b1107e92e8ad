"""Tests that a stranger runs against a plugin of their own, with pytest or from a terminal."""
