"""Detectors: rules that say what an answer was."""
