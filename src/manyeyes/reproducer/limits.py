"""Limits of the format that others need too, without all that reads it."""

from __future__ import annotations

from typing import Final

MAX_IMAGE: Final = 20 * 1024 * 1024
"""Bytes of one attachment at most."""
