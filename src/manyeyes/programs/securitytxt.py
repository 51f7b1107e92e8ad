"""What machines read about a program: security.txt (RFC 9116), the disclose.io entry, the DNS text to copy."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from manyeyes.programs import policy as policy_of
from manyeyes.programs.models import PolicyVersion, Program
from manyeyes.programs.openpgp import key_of
from manyeyes.vault import openpgp, postkeys

LIFETIME = timedelta(days=180)  # RFC 9116 recommends less than a year; made new every day, so it never runs out
SIGNATURES_HELD = 64


def render(program: Program, base_url: str, now: datetime) -> str:
    """The file's text, unsigned. `base_url` is the site's own origin, `now` an aware time; the same text all day."""
    base = base_url.rstrip("/")
    page = f"{base}/p/{program.slug}/"
    lines = [f"Contact: {page}report/"]
    if program.contact_email:
        lines.append(f"Contact: mailto:{_one_line(program.contact_email)}")
    expires = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + LIFETIME
    lines.append(f"Expires: {expires.isoformat().replace('+00:00', 'Z')}")
    if key_of(program) is not None:
        lines.append(f"Encryption: {page}openpgp.asc")
    policy = program.policy
    lines.append(f"Policy: {page}policy/{policy.number}/" if policy else f"Policy: {page}")
    lines.append(f"Acknowledgments: {base}/thanks/")
    lines.append(f"Preferred-Languages: {', '.join(languages(program))}")
    lines.append(f"Canonical: {base}/.well-known/security.txt")
    # RFC 9116 allows either line ending; CRLF is read by every parser.
    return "\r\n".join(lines) + "\r\n"


def signed(program: Program, base_url: str, now: datetime) -> str:
    """The file's text, clear-signed where the program has a key that signs; unsigned rather than not at all."""
    text = render(program, base_url, now)
    row = key_of(program)
    if row is None or row.secret is None or postkeys.trouble_of(row) == "expired":
        return text
    try:
        return _signed(text, row.secret, row.password or "")
    except openpgp.CannotUse as refused:
        postkeys.note_trouble(row, refused.why)
        return text


@lru_cache(SIGNATURES_HELD)
def _signed(text: str, secret: str, password: str) -> str:
    """Anybody may ask for the file as often as they like: it is signed once a day."""
    # What is signed ends without a line break, which belongs to the signature; its lines end alike.
    made = openpgp.clear_sign(text.replace("\r\n", "\n"), secret=secret, password=password)
    return made.replace("\r\n", "\n").replace("\n", "\r\n")


def disclose_io(program: Program, base_url: str) -> dict[str, Any]:
    """The program as an entry of the disclose.io list: its core fields, with what we know and nothing made up."""
    base = base_url.rstrip("/")
    page = f"{base}/p/{program.slug}/"
    policy = program.policy
    first = program.policies.filter(published_at__isnull=False).order_by("number").first()
    entry: dict[str, Any] = {
        "program_name": program.name,
        "policy_url": f"{page}policy/{policy.number}/" if policy else page,
        "policy_url_status": "alive",
        "contact_url": f"{page}report/",
        "contact_email": _one_line(program.contact_email),
        "launch_date": f"{first.published_at:%Y-%m-%d}" if first and first.published_at else "",
        "offers_bounty": "yes" if policy is not None and _pays(policy) else "no",
        "offers_swag": False,
        "hall_of_fame": f"{base}/thanks/",
        "safe_harbor": _harbor(policy),
        "public_disclosure": "co-ordinated",
        "disclosure_timeline_days": program.embargo_days,
        "pgp_key": f"{page}openpgp.asc" if key_of(program) else "",
        "preferred_languages": ", ".join(languages(program)),
        "securitytxt_url": f"{base}/.well-known/security.txt",
    }
    return {name: value for name, value in entry.items() if value != ""}


def _harbor(version: PolicyVersion | None) -> str:
    """What the linter reads: full when research is authorised and nothing takes it back, partial for "will not sue"."""
    read = policy_of.reading(version) if version is not None else None
    if read is None or read.maturity < 3:
        return "none"
    return "full" if read.maturity > 3 and read.ok else "partial"


def _pays(policy: Any) -> bool:
    return bool(policy.scope) and any(str(line.get("reward", "")).strip() for line in policy.scope)


def dns_text(program: Program, base_url: str) -> str:
    """The DNS records that lead to the program, in zone file form, for the domain of the contact or of the site."""
    base = base_url.rstrip("/")
    address = _one_line(program.contact_email)
    domain = address.rpartition("@")[2] or urlsplit(base).hostname or "example.org"
    contact = f"mailto:{address}" if address else f"{base}/p/{program.slug}/report/"
    records = (f"security_policy={base}/p/{program.slug}/", f"security_contact={contact}")
    return "".join(f'_security.{domain}. IN TXT "{_quoted(record)}"\n' for record in records)


def languages(program: Program) -> list[str]:
    """The tags of the languages in which people may write."""
    tags = [tag.strip() for tag in program.languages.replace(";", ",").split(",")]
    return [tag for tag in tags if tag and tag.replace("-", "").isalnum()] or ["en"]


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _one_line(text: str) -> str:
    return "".join(text.split())
