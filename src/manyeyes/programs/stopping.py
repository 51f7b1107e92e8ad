"""What a program says of material that must never be sent to it: counsel's words, and whom to call."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from manyeyes import events
from manyeyes.accounts.models import Person
from manyeyes.programs.models import Program
from manyeyes.rules.errors import Invalid

TEXT_LONGEST = 4_000
CONTACT_LONGEST = 300


def set_stop_rule(program: Program, *, by: Person, text: str, contact: str) -> Program:
    """Replace both; empty ones bring the neutral words back. Raises Invalid naming the field."""
    text, contact = text.strip(), " ".join(contact.split())
    wrong: dict[str, str] = {}
    for name, value, longest in (("stop_text", text, TEXT_LONGEST), ("stop_contact", contact, CONTACT_LONGEST)):
        if "\x00" in value or len(value) > longest:
            wrong[name] = _("At most %(most)d characters, without NUL.") % {"most": longest}
    if wrong:
        raise Invalid(wrong)
    with transaction.atomic():
        program.stop_text, program.stop_contact = text, contact
        program.save(update_fields=["stop_text", "stop_contact"])
        events.record(f"program:{program.pk}", "stop_rule.set", actor=by.actor, human=True)
    return program
