"""What machines ask a program: whom to contact, its key, its entry for lists of programs."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from manyeyes.programs import openpgp, securitytxt
from manyeyes.programs.access import program_for, visible_to
from manyeyes.rules import clock

PLAIN = "text/plain; charset=utf-8"


@require_safe
def security_txt(request: HttpRequest) -> HttpResponse:
    """RFC 9116: whom do I contact?"""
    program = visible_to(None).order_by("created_at").first()
    if program is None:
        return HttpResponse("No program is public here.\n", status=404, content_type=PLAIN)
    text = securitytxt.signed(program, settings.MANYEYES_BASE_URL, clock.now())
    return HttpResponse(text, content_type=PLAIN)


@require_safe
def openpgp_key(request: HttpRequest, slug: str) -> HttpResponse:
    """The program's public key; absent while it has none."""
    return HttpResponse(openpgp.public_key(program_for(request.user, slug)), content_type=PLAIN)


@require_safe
def disclose_io(request: HttpRequest, slug: str) -> JsonResponse:
    """The program as lists of programs note it."""
    entry = securitytxt.disclose_io(program_for(request.user, slug), settings.MANYEYES_BASE_URL)
    return JsonResponse(entry, json_dumps_params={"indent": 2})
