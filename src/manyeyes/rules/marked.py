"""Marks a sentence of the rules for translation: the rules know no language, the pages that show it translate it."""

from __future__ import annotations


def marked(text: str) -> str:
    """The text itself. Imported as `_`, it is found by the tool that collects what is to be translated."""
    return text
