"""The scope, line by line: worked on in the console, copied beside each policy when it is published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from manyeyes.programs.marker import with_word
from manyeyes.programs.models import PolicyVersion, Program, ScopeItem, Target
from manyeyes.rules.errors import Conflict, Invalid, NotFound
from manyeyes.rules.policy_document import SEVERITIES, ScopeLine
from manyeyes.rules.taxonomy import KINDS

_LENGTHS = {"text": 300, "versions": 120, "reached": 120, "reward": 60, "spending": 60}
_NUMBERS = {"calls_per_day": 10_000_000, "calls_at_once": 10_000}
_FIELDS = (*_LENGTHS, *_NUMBERS, "in_scope", "classes_in", "classes_out", "severity_max", "marker", "target")


def lines(program: Program) -> list[ScopeLine]:
    """The scope as it is being worked on, in order: what is in scope first."""
    return [line_of(item) for item in program.scope.select_related("target", "program")]


def line_of(item: ScopeItem) -> ScopeLine:
    """One row as the line that people read."""
    target = item.target
    return ScopeLine(
        system=target.name if target else "",
        about=target.description if target else "",
        text=item.text,
        in_scope=item.in_scope,
        versions=item.versions,
        reached=item.reached or (target.reached_words if target and target.access != Target.Access.NONE else ""),
        classes_in=tuple(item.classes_in),
        classes_out=tuple(item.classes_out),
        severity_max=item.severity_max,
        reward=item.reward,
        calls_per_day=item.calls_per_day,
        calls_at_once=item.calls_at_once,
        spending=item.spending,
        marker=item.marker,
        marker_word=item.program.research_marker if item.marker != ScopeItem.Marker.NONE else "",
    )


def kept(version: PolicyVersion) -> list[ScopeLine] | None:
    """The scope as it stood when the version was published; None where it was not kept then."""
    return None if version.scope is None else [ScopeLine.from_json(line) for line in version.scope]


def in_force(program: Program, policy: PolicyVersion | None) -> list[ScopeLine]:
    """The scope that researchers may rely on: that of the policy in force.

    Where that policy named no system (it was published before there was one), the lines as they stand now.
    """
    found = kept(policy) if policy else None
    return with_word(program, found) if found else lines(program)


def unpublished(program: Program, policy: PolicyVersion | None) -> bool:
    """Whether the lines were changed since the policy in force was published."""
    found = kept(policy) if policy else None
    return bool(found) and with_word(program, found or ()) != lines(program)


def line_for(program: Program, item_id: Any) -> ScopeItem:
    """A line of this program. Raises NotFound."""
    item = program.scope.select_related("target", "program").filter(pk=item_id).first()
    if item is None:
        raise NotFound
    return item


@transaction.atomic
def save_line(program: Program, item: ScopeItem | None, *, revision: int = 0, **given: Any) -> ScopeItem:
    """Store a line: a new one at the end, or what is given of an old one.

    Raises Conflict when it was changed since `revision` was read or is gone, Invalid with the mend for each field.
    """
    Program.objects.select_for_update().get(pk=program.pk)
    row = ScopeItem(program=program, position=_next_position(program)) if item is None else _current(item, revision)
    values = {**{name: getattr(row, name) for name in _FIELDS}, **given}
    _check(program, values)
    for name in _FIELDS:
        setattr(row, name, values[name])
    row.text = row.text.strip() or (row.target.name if row.target else "")
    row.revision += 0 if item is None else 1
    row.save()
    return row


def _current(item: ScopeItem, revision: int) -> ScopeItem:
    row = ScopeItem.objects.select_for_update().filter(pk=item.pk).first()
    if row is None or row.revision != revision:
        raise Conflict(_("Somebody else changed this line since you opened it. Nothing of yours was stored yet."))
    return row


@transaction.atomic
def remove_line(item: ScopeItem) -> None:
    """Take a line out; published policies keep their copy."""
    ScopeItem.objects.filter(pk=item.pk).delete()


@transaction.atomic
def move_line(item: ScopeItem, *, up: bool) -> None:
    """Change places with the neighbour above or below, among the lines that are equally in or out of scope."""
    rows = list(ScopeItem.objects.select_for_update().filter(program_id=item.program_id, in_scope=item.in_scope))
    place = next((number for number, row in enumerate(rows) if row.pk == item.pk), None)
    other = None if place is None else place + (-1 if up else 1)
    if place is None or other is None or not 0 <= other < len(rows):
        return
    rows[place], rows[other] = rows[other], rows[place]
    for position, row in enumerate(rows):
        ScopeItem.objects.filter(pk=row.pk).update(position=position)


def _next_position(program: Program) -> int:
    newest = program.scope.order_by("-position").first()
    return newest.position + 1 if newest else 0


def _check(program: Program, values: Mapping[str, Any]) -> None:
    wrong = {name: problem for name, most in _LENGTHS.items() if (problem := _text_problem(values[name], most))}
    for name, most in _NUMBERS.items():
        if values[name] is not None and not 1 <= values[name] <= most:
            wrong[name] = _("Give a whole number from 1 to %(most)s, or leave it empty.") % {"most": most}
    if not values["text"].strip() and values["target"] is None:
        wrong["text"] = _("Name what the line is about, or choose a system.")
    if values["target"] is not None and values["target"].program_id != program.pk:
        wrong["target"] = _("Choose a system of this program.")
    if values["severity_max"] and values["severity_max"] not in SEVERITIES:
        wrong["severity_max"] = _("Choose one of %(names)s.") % {"names": ", ".join(SEVERITIES)}
    if values["marker"] not in ScopeItem.Marker.values:
        wrong["marker"] = _("Choose one of %(names)s.") % {"names": ", ".join(ScopeItem.Marker.values)}
    wrong |= _kinds_problem(values["classes_in"], values["classes_out"])
    if wrong:
        raise Invalid(wrong)


def _text_problem(text: str, most: int) -> str:
    if len(text) > most:
        return _("Shorten this to %(most)s characters.") % {"most": most}
    return "" if text.isprintable() else _("Write it on one line, without invisible characters.")


def _kinds_problem(inside: Sequence[str], outside: Sequence[str]) -> dict[str, str]:
    wrong = {}
    for name, codes in (("classes_in", inside), ("classes_out", outside)):
        if unknown := sorted(set(codes) - set(KINDS)):
            wrong[name] = _("No such kind of flaw: %(names)s.") % {"names": ", ".join(unknown)}
    if both := sorted(set(inside) & set(outside)):
        wrong["classes_out"] = _("In and out of scope at once: %(names)s.") % {"names": ", ".join(both)}
    return wrong
