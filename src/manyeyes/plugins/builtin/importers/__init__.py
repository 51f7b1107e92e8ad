"""Importers of result files from the tools that researchers use."""
