"""Replays: what would one test and cost, what did it find, what did each call say?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from manyeyes.cases import access, facts, proposals, reproduction, steering, taken_out, verification
from manyeyes.cases.models import Case, Reproduction
from manyeyes.console import plans
from manyeyes.console.acts import desk
from manyeyes.console.forms import PlanForm, TeamForm, TickForm, VerifyForm
from manyeyes.console.gate import team
from manyeyes.console.views.case import desk_case
from manyeyes.engine.plan import Stream
from manyeyes.http import as_download
from manyeyes.replays import evidence, manual
from manyeyes.replays.models import Replay
from manyeyes.rules import clock
from manyeyes.rules.errors import Invalid, NotFound
from manyeyes.runs.document import Caps
from manyeyes.runs.prepare import Options


def desk_link(request: HttpRequest, replay_id: UUID) -> Reproduction:
    """The link of a replay to its case, for those who work on the case. Raises NotFound."""
    link = access.reproduction_for(request.user, replay_id)
    if not access.sees_inside(request.user, link.case):
        raise NotFound
    return link


@require_http_methods(["GET", "HEAD", "POST"])
@team
def replay_new(request: HttpRequest, ref: str) -> HttpResponse:
    """What would a replay test, and what would it cost? Then start it."""
    return _plan(request, desk_case(request, ref), reproduction, PlanForm, "console/replay_new.html")


@require_http_methods(["GET", "HEAD", "POST"])
@team
def verify_new(request: HttpRequest, ref: str) -> HttpResponse:
    """What would a verification test, and what would it cost? Then start it."""
    return _plan(request, desk_case(request, ref), verification, VerifyForm, "console/verify_new.html")


def _plan(request: HttpRequest, case: Case, stage: Any, kind: type[TeamForm], template: str) -> HttpResponse:
    form = _named(kind(request.POST or None), case)
    chosen = form.cleaned_data if form.is_bound and form.is_valid() else {}
    wanted = chosen.get("request_id") or uuid4()
    mode = str(Replay.Mode.MANUAL) if chosen.get("manual") or not case.target.by_machine else str(Replay.Mode.RUNNER)
    seen = request.POST.get("shown") or mode
    options = _options(stage, mode, seen, chosen)
    by_judge = {"judge": chosen["judge"]} if chosen.get("judge") else {}
    if request.POST.get("action") == "start" and not form.errors and seen == mode:
        try:
            link = stage.request(case, by=request.user, options=options, mode=mode, request_id=wanted, **by_judge)
            return redirect("console:replay", replay_id=link.replay_id)
        except Invalid as error:
            form.refuse_all(error)
    if not form.errors:  # the boxes hold what the preview was computed with, so that this very plan is what starts
        form = _named(kind(initial=_boxes(options, mode) | {"judge": _key_of(chosen.get("judge"))}), case)
    # What is shown is what would start: the seed, and with it the wordings, belong to the request.
    proposal = stage.propose(case, options=proposals.seeded(options, wanted), mode=mode, **by_judge)
    context = {
        "case": case,
        "form": form,
        "proposal": proposal,
        "request_id": wanted,
        "switched": seen != mode,
        **plans.shown(proposal),
    }
    return render(request, template, context, status=422 if form.errors else 200)


def _named(form: TeamForm, case: Case) -> TeamForm:
    """The form with the judges of the program, where it asks for one."""
    if isinstance(form, PlanForm):
        form.name_judges(case.program)
    return form


def _key_of(version: Any) -> str:
    return str(version.pk) if version else ""


NUMBERS = ("p_min", "tau", "retry_budget", "seed")


def _options(stage: Any, mode: str, seen: str, chosen: dict[str, Any]) -> Options:
    """The stage's options for this mode with what was typed.

    The boxes came filled for the mode that was `seen`. Where the mode has changed since, a number that was left as it
    came gives way to the one of the new mode: nobody chose it.
    """
    named = {name: chosen[name] for name in NUMBERS if chosen.get(name) is not None}
    if seen != mode:
        came = _start(stage, seen)
        named = {name: value for name, value in named.items() if value != getattr(came, name)}
    if chosen.get("max_calls"):
        named["caps"] = Caps(max_calls=chosen["max_calls"])
    return replace(_start(stage, mode), **named)


def _start(stage: Any, mode: str) -> Options:
    options: Options = stage.BY_HAND if mode == Replay.Mode.MANUAL else stage.BY_MACHINE
    return options


def _boxes(options: Options, mode: str) -> dict[str, Any]:
    """The options as the form shows them; a seed of nought means that the request brings its own."""
    numbers = {name: getattr(options, name) or None for name in NUMBERS}
    return {**numbers, "max_calls": options.caps.max_calls, "manual": mode == Replay.Mode.MANUAL}


LIVE = (Replay.State.QUEUED, Replay.State.RUNNING)


@require_GET
@team
def replay(request: HttpRequest, replay_id: UUID) -> HttpResponse:
    """Is it real, and where is it worst?"""
    link = desk_link(request, replay_id)
    if link.purpose == Reproduction.Purpose.VERIFICATION:
        return redirect("console:fix", replay_id=replay_id)
    return _evidence(request, link, "console/replay.html")


@require_GET
@team
def fix(request: HttpRequest, replay_id: UUID) -> HttpResponse:
    """Does the fix hold?"""
    link = desk_link(request, replay_id)
    if link.purpose != Reproduction.Purpose.VERIFICATION:
        return redirect("console:replay", replay_id=replay_id)
    return _evidence(request, link, "console/fix.html")


def _evidence(request: HttpRequest, link: Reproduction, template: str) -> HttpResponse:
    found, case = evidence.load(link.replay), link.case
    outcome = request.GET.get("outcome", "")
    stream = request.GET.get("stream", "" if outcome else str(Stream.MAIN))
    statements = verification.statements(case)
    context = {
        "link": link,
        "case": case,
        "evidence": found,
        "desk": desk(case, request.user, here=request.path),
        "live": link.replay.state in LIVE and link.replay.mode != Replay.Mode.MANUAL,
        "labels": manual.open_labels(link.replay),
        "calls": found.exchanges(request.GET.get("page"), stream=stream, outcome=outcome),
        "stream": stream,
        "outcome": outcome,
        "statements": [one for one in statements if one.fix.version_id],
        "statement": next((one for one in statements if one.fix.pk == link.remediation_id), None),
        "retest_until": facts.retest_until(case, link.remediation) if link.remediation else None,
        "finding": reproduction.finding(case),
        "now": clock.now(),
        "inside": True,
    }
    return render(request, template, context)


@require_GET
@team
def result(request: HttpRequest, replay_id: UUID) -> HttpResponse:
    """The result as one JSON object with the keys that the command line prints; 404 until the case has taken it up."""
    link = desk_link(request, replay_id)
    if not link.replay.verdict or link.concluded_at is None:
        raise Http404
    return JsonResponse(evidence.result(link.replay))


@require_POST
@team
def folder(request: HttpRequest, replay_id: UUID) -> HttpResponseBase:
    """The record as the folder of a run, for the tools of the command line."""
    link = desk_link(request, replay_id)
    name = f"{taken_out.name_of(link)}.zip"
    packed = taken_out.take_out(link, by=request.user)
    return as_download(iter([packed]), name)


@require_GET
@team
def call(request: HttpRequest, replay_id: UUID, stream: str, index: int) -> HttpResponse:
    """What did this call say?"""
    link = desk_link(request, replay_id)
    found = evidence.exchange(link.replay, stream, index)
    if found is None:
        raise Http404
    context = {
        "link": link,
        "case": link.case,
        "call": found,
        "before": index - 1,
        "after": index + 1,
        "has_next": evidence.exchange(link.replay, stream, index + 1) is not None,
    }
    return render(request, "console/call.html", context)


@require_POST
@team
def control(request: HttpRequest, replay_id: UUID) -> HttpResponse:
    """Pause, resume or cancel a replay; or say that a person has looked at the first success."""
    link = desk_link(request, replay_id)
    action = request.POST.get("action")
    if action == "seen":
        reproduction.see_first_success(link.case, by=request.user)
    elif action == "label":
        _label(request, link)
    elif action in ("pause", "resume", "cancel"):
        limit = request.POST.get("max_calls", "") if action == "resume" else ""
        steering.steer(link, by=request.user, action=action, max_calls=_whole(limit) if limit else None)
    else:
        raise Http404
    return redirect("console:replay", replay_id=replay_id)


def _label(request: HttpRequest, link: Reproduction) -> None:
    steering.label(
        link, by=request.user, stream=request.POST.get("stream", ""), index=_whole(request.POST.get("index", "")),
        outcome=request.POST.get("outcome", ""),
    )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@team
def by_hand(request: HttpRequest, replay_id: UUID) -> HttpResponse:
    """Work through a frozen plan by hand: what to send, and what came of it."""
    link = desk_link(request, replay_id)
    form = TickForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            steering.tick(
                link, by=request.user,
                stream=request.POST.get("stream", ""), index=_whole(request.POST.get("index", "")),
                outcome=form.cleaned_data["outcome"], transcript=form.cleaned_data["transcript"],
            )  # fmt: skip
            return redirect("console:manual", replay_id=replay_id)
        except Invalid as error:
            form.refuse_all(error)
    trials = manual.next_trials(link.replay, room=1)
    trial = trials[0] if trials else None
    if trial:
        form.fields["outcome"].choices = trial.ticks  # type: ignore[attr-defined]
    context = {
        "link": link,
        "case": link.case,
        "form": form,
        "trial": trial,
        "made": link.replay.trials.count(),
        "settings": plans.knobs(trial),
    }
    return render(request, "console/manual.html", context, status=422 if form.errors else 200)


def _whole(typed: str) -> int:
    return int(typed) if typed.isdecimal() and len(typed) < 10 else -1
