"""Targets, their pinned versions and their permits: what may be reached by machine, at which address, and why."""

from __future__ import annotations

import ipaddress
import socket
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import IntegrityError, transaction

from manyeyes import events
from manyeyes.programs.access import roles_of
from manyeyes.programs.models import Program, ScopeItem, Target, TargetVersion
from manyeyes.programs.permitted import Permit
from manyeyes.rules import clock, permits
from manyeyes.rules.addresses import Address, public
from manyeyes.rules.errors import Conflict, Invalid, NotAllowed
from manyeyes.rules.lifecycle import Role
from manyeyes.runs.price import Price


def add_target(
    program: Program, *, name: str, access: str, owner: Any = None, description: str = "", in_scope: str = ""
) -> Target:
    """Register a system, with one line of scope for researchers when `in_scope` is given.

    The line asks testers to show who they are: by a header where calls can carry one, else in the name of the account.
    """
    if access not in Target.Access.values:
        raise Invalid(access=f"Choose one of {', '.join(Target.Access.values)}.")
    if not name.strip():
        raise Invalid(name="The target needs a name.")
    _check_lengths(name=(name, 120), in_scope=(in_scope, 300))
    with transaction.atomic():
        try:
            with transaction.atomic():
                target = Target.objects.create(
                    program=program, name=name.strip(), access=access, owner=owner, description=description.strip()
                )
        except IntegrityError:
            raise Conflict(f"There is already a target called {name.strip()}.") from None
        if in_scope:
            position = program.scope.count()
            called = access in (Target.Access.API, Target.Access.HARNESS)
            mark = ScopeItem.Marker.HEADER if called else ScopeItem.Marker.ACCOUNT
            program.scope.create(target=target, text=in_scope, in_scope=True, position=position, marker=mark)
    return target


def add_version(
    target: Target,
    *,
    label: str,
    endpoint_url: str = "",
    model: str = "",
    api_key: str | None = None,
    notes: str | None = None,
    deployed_at: datetime | None = None,
    price: Price | None = None,
) -> TargetVersion:
    """Pin one deployment. The credential is encrypted and sent to this address's origin only."""
    if not label.strip():
        raise Invalid(label="Name the version, for example 2026-11-23 or v2.")
    _check_lengths(label=(label, 60), endpoint_url=(endpoint_url, 300), model=(model, 120))
    if target.access == Target.Access.API or endpoint_url:
        check_url(endpoint_url)
    try:
        with transaction.atomic():
            return TargetVersion.objects.create(
                key=target.program.key,
                target=target,
                label=label.strip(),
                endpoint_url=endpoint_url,
                model=model,
                api_key=api_key,
                notes=notes,
                deployed_at=deployed_at or clock.now(),
                price_in=price.per_million_in if price else None,
                price_out=price.per_million_out if price else None,
                currency=price.currency if price else "",
            )
    except IntegrityError:
        raise Conflict(f"{target.name} already has a version {label.strip()}.") from None


def grant(
    target: Target,
    *,
    by: Any,
    operator: str,
    basis: str,
    environment: str = permits.Environment.STAGING,
    hazard_classes: list[str] | None = None,
    calls_per_day: int = 5000,
    until: datetime | None = None,
    budget_owner: Any = None,
) -> Permit:
    """Record on what basis the target may be attacked by machine. `budget_owner` (default: `by`) answers for the cost.

    A permit for production lets nothing start before somebody else has approved it.
    """
    wrong = {}
    if not operator.strip():
        wrong["operator"] = "Say who operates the target."
    if not basis.strip():
        wrong["basis"] = "Say why we may attack it, for example: our own system, agreed with its owner."
    if environment not in set(permits.Environment):
        wrong["environment"] = f"Choose one of {', '.join(permits.Environment)}."
    unknown = set(hazard_classes or ()) - set(permits.HAZARDS)
    if unknown:
        wrong["hazard_classes"] = f"Not a hazard class: {', '.join(sorted(unknown))}."
    if wrong:
        raise Invalid(wrong)
    _check_lengths(operator=(operator, 120), basis=(basis, 200))
    with transaction.atomic():
        row = Permit.objects.create(
            target=target,
            operator=operator.strip(),
            basis=basis.strip(),
            environment=environment,
            hazard_classes=hazard_classes or [],
            calls_per_day=calls_per_day,
            granted_by=by,
            budget_owner=budget_owner or by,
            until=until,
        )
        _told(row, "permit.granted", by, environment=str(environment), budget_owner=str(row.answers_for_cost.pk))
    return row


def may_approve(permit: Permit, person: Any) -> str:
    """Why this person may not approve it; empty where they may, and where nothing waits for an approval it is said."""
    if not permit.waits_for_approval:
        return "This permit needs no approval, or has it."
    return permits.may_approve(
        is_owner=person.pk == permit.target.owner_id,
        is_admin=Role.ADMIN in roles_of(person, permit.target.program),
        granted=person.pk == permit.granted_by_id,
    )


def approve(permit: Permit, *, by: Any) -> Permit:
    """Approve attacks on production under this permit, once. Raises NotAllowed or Conflict, in words."""
    with transaction.atomic():
        row = Permit.objects.select_for_update().select_related("target__program").get(pk=permit.pk)
        if not row.waits_for_approval:
            raise Conflict(may_approve(row, by))
        if why_not := may_approve(row, by):
            raise NotAllowed(why_not)
        row.approved_by, row.approved_at = by, clock.now()
        row.save(update_fields=["approved_by", "approved_at"])
        _told(row, "permit.approved", by)
    return row


def _told(row: Permit, kind: str, by: Any, **data: Any) -> None:
    about = f"program:{row.target.program_id}"
    events.record(about, kind, actor=by.actor, human=True, permit=str(row.pk), target=str(row.target_id), **data)


def permit_of(target: Target, at: datetime | None = None) -> permits.Permit | None:
    """The newest permit of the target that has not run out, as the rules read it."""
    row = target.permit_at(at or clock.now())
    if row is None:
        return None
    return permits.Permit(
        operator=row.operator,
        basis=row.basis,
        environment=row.environment,
        hazard_classes=tuple(row.hazard_classes),
        calls_per_day=row.calls_per_day,
        granted_by=str(row.granted_by_id),
        budget_owner=str(row.budget_owner_id or row.granted_by_id),
        approved_by=str(row.approved_by_id or ""),
        until=row.until,
    )


def price_of(version: TargetVersion) -> Price | None:
    """What calls to a version cost, where that was recorded."""
    if version.price_in is None or version.price_out is None:
        return None
    return Price(per_million_in=version.price_in, per_million_out=version.price_out, currency=version.currency)


def check_url(url: str) -> str:
    """The endpoint, if a target may have it. Raises Invalid: wrong scheme, credentials in it, a private address."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise Invalid(endpoint_url="This is not an address of the form https://host/path.") from None
    if parts.scheme not in ("http", "https") or not host:
        raise Invalid(endpoint_url="Give an address of the form https://host/path.")
    if parts.username or parts.password or parts.fragment or "\\" in url:
        raise Invalid(endpoint_url="Leave out user name, password and fragment; the credential has its own field.")
    if "?" in url:
        raise Invalid(
            endpoint_url="Leave out what stands after the question mark: a key in it would lie in the clear. "
            "The credential has its own field."
        )
    if port == 0 or not url.isascii() or not url.isprintable():
        raise Invalid(endpoint_url="This address holds characters or a port that cannot be used.")
    if settings.MANYEYES_ALLOW_PRIVATE_TARGETS:
        return url
    literal = _literal(host)
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")) or (literal and not public(literal)):
        raise Invalid(
            endpoint_url="This address is on a private network. Set MANYEYES_ALLOW_PRIVATE_TARGETS=1 to allow those."
        )
    if parts.scheme == "http":
        raise Invalid(endpoint_url="Use https: the credential and the exploit would travel in the clear.")
    return url


def since_midnight() -> datetime:
    """The start of the present UTC day, from which the permit's calls are counted."""
    return clock.now().replace(hour=0, minute=0, second=0, microsecond=0)


def _check_lengths(**given: tuple[str, int]) -> None:
    """Raise Invalid for what the columns cannot hold; SQLite would take it and PostgreSQL fail on it."""
    wrong = {name: f"Shorten this to {most} characters." for name, (text, most) in given.items() if len(text) > most}
    if wrong:
        raise Invalid(wrong)


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    try:
        # 127.1, 0x7f.1 and 2130706433 are loopback to the resolver too.
        return ipaddress.ip_address(socket.inet_aton(host))
    except OSError:
        return None
