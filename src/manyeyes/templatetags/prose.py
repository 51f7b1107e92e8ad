"""Shows the team's own policy text: a small part of Markdown, no HTML, links to the web and to mail only."""

from __future__ import annotations

from datetime import datetime
from functools import cache

from django import template
from django.utils.safestring import SafeString
from markdown_it import MarkdownIt

register = template.Library()


@cache
def _reader() -> MarkdownIt:
    reader = MarkdownIt("zero", {"html": False, "linkify": False})
    reader.enable(["paragraph", "list", "emphasis", "link", "newline", "heading"])
    reader.validateLink = lambda url: url.lower().startswith(("https://", "http://", "mailto:"))  # type: ignore[method-assign]
    return reader


@register.filter
def prose(text: str) -> SafeString:
    """`{{ policy.safe_harbor|prose }}`: paragraphs, lists, emphasis and links; the rest stays as typed."""
    return SafeString(_reader().render(text))  # html is off: the reader escapes what it does not know


@register.filter
def day(moment: str) -> str:
    """`{{ facts.reported_at|day }}`: the date of a moment kept as text, 23 November 2026."""
    found = datetime.fromisoformat(moment)
    return f"{found.day} {found:%B %Y}"
