"""Addresses of the console, under /desk/."""

from __future__ import annotations

from django.urls import path

from manyeyes.console.closed import opened_first
from manyeyes.console.views import (
    case,
    fix,
    judgement,
    launch,
    longer,
    policy,
    program,
    queue,
    replay,
    restricted,
    scope,
    talk,
)

app_name = "console"
urlpatterns = [
    path("", queue.queue, name="queue"),
    path("cases/<str:ref>/", case.case, name="case"),
    path("cases/<str:ref>/say/", case.say, name="say"),
    path("cases/<str:ref>/mail/", launch.case_mail, name="case_mail"),
    path("cases/<str:ref>/respond/", talk.respond, name="respond"),
    path("cases/<str:ref>/words/<uuid:message_id>/", talk.mend, name="mend"),
    path("cases/<str:ref>/appeal/", talk.appeal, name="appeal"),
    path("cases/<str:ref>/call/", talk.call, name="call_discipline"),
    path("cases/<str:ref>/acknowledge/", case.acknowledge, name="acknowledge"),
    path("cases/<str:ref>/assign/", case.assign, name="assign"),
    path("cases/<str:ref>/cause/", case.cause, name="cause"),
    path("cases/<str:ref>/fact/", case.fact, name="fact"),
    path("cases/<str:ref>/opened/", restricted.opened, name="opened"),
    path("cases/<str:ref>/reproducer/", opened_first("reproducer")(case.reproducer), name="reproducer"),
    path("cases/<str:ref>/move/<slug:name>/", case.move, name="move"),
    path("cases/<str:ref>/replay/", opened_first("plan")(replay.replay_new), name="replay_new"),
    path("cases/<str:ref>/verify/", opened_first("plan")(replay.verify_new), name="verify_new"),
    path("cases/<str:ref>/severity/", judgement.rate, name="severity"),
    path("cases/<str:ref>/signoff/", judgement.sign_off, name="signoff"),
    path("cases/<str:ref>/fix/", fix.fix_new, name="fix_new"),
    path("cases/<str:ref>/embargo/", fix.embargo, name="embargo"),
    path("cases/<str:ref>/advisory/", fix.advisory, name="advisory"),
    path("files/<uuid:file_id>/", opened_first("file", stays=False)(case.file), name="file"),
    path("replays/<uuid:replay_id>/", opened_first("replay")(replay.replay), name="replay"),
    path("replays/<uuid:replay_id>/result.json", replay.result, name="result"),
    path("replays/<uuid:replay_id>/control/", replay.control, name="control"),
    path("replays/<uuid:replay_id>/folder/", opened_first("replay")(replay.folder), name="folder"),
    path("replays/<uuid:replay_id>/longer/", longer.go_on, name="longer"),
    path("replays/<uuid:replay_id>/manual/", opened_first("replay")(replay.by_hand), name="manual"),
    path("replays/<uuid:replay_id>/calls/<slug:stream>/<int:index>/", opened_first("replay")(replay.call), name="call"),
    path("fixes/<uuid:replay_id>/", opened_first("replay")(replay.fix), name="fix"),
    path("program/", program.program, name="program"),
    path("program/<slug:slug>/answers/", talk.answers, name="answers"),
    path("program/<slug:slug>/answers/<uuid:answer_id>/", talk.answer, name="answer"),
    path("program/<slug:slug>/", program.one, name="one_program"),
    path("program/<slug:slug>/launch/", launch.checklist, name="launch"),
    path("program/<slug:slug>/key/", launch.key, name="program_key"),
    path("program/<slug:slug>/policy/", policy.edit, name="policy"),
    path("program/<slug:slug>/policy/preview/", policy.preview, name="policy_preview"),
    path("program/<slug:slug>/policy/scope/", scope.lines, name="scope"),
    path("program/<slug:slug>/policy/scope/new/", scope.line, name="scope_new"),
    path("program/<slug:slug>/policy/scope/<uuid:item_id>/", scope.line, name="scope_line"),
    path("program/<slug:slug>/<slug:part>/", program.add, name="program_add"),
]
