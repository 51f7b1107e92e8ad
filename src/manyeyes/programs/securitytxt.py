"""Renders `/.well-known/security.txt` (RFC 9116) from the program."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from manyeyes.programs.models import Program

LIFETIME = timedelta(days=180)  # RFC 9116 recommends less than a year; rendered on request, so it never runs out


def render(program: Program, base_url: str, now: datetime) -> str:
    """The file's text. `base_url` is the site's own origin, `now` an aware time."""
    base = base_url.rstrip("/")
    page = f"{base}/p/{program.slug}/"
    lines = [f"Contact: {page}report/"]
    if program.contact_email:
        lines.append(f"Contact: mailto:{_one_line(program.contact_email)}")
    expires = (now.astimezone(UTC) + LIFETIME).replace(microsecond=0)
    lines.append(f"Expires: {expires.isoformat().replace('+00:00', 'Z')}")
    policy = program.policy
    lines.append(f"Policy: {page}policy/{policy.number}/" if policy else f"Policy: {page}")
    lines.append(f"Acknowledgments: {base}/thanks/")
    lines.append(f"Preferred-Languages: {', '.join(_languages(program.languages))}")
    lines.append(f"Canonical: {base}/.well-known/security.txt")
    # RFC 9116 allows either line ending; CRLF is read by every parser.
    return "\r\n".join(lines) + "\r\n"


def _languages(stored: str) -> list[str]:
    tags = [tag.strip() for tag in stored.replace(";", ",").split(",")]
    return [tag for tag in tags if tag and tag.replace("-", "").isalnum()] or ["en"]


def _one_line(text: str) -> str:
    return "".join(text.split())
