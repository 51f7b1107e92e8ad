"""Addresses of the portal: what the public and researchers see."""

from __future__ import annotations

from django.urls import path

from manyeyes.portal.views import letters, machines, mine, my, policies, public, report, together, tokens

app_name = "portal"
urlpatterns = [
    path("", public.home, name="home"),
    path("p/<slug:slug>/", public.program, name="program"),
    path("p/<slug:slug>/policy/", policies.history, name="policy_history"),
    path("p/<slug:slug>/policy/changes/", policies.changes, name="policy_changes"),
    path("p/<slug:slug>/policy/changes.txt", policies.changes_text, name="policy_changes_text"),
    path("p/<slug:slug>/policy/<int:number>/", policies.one, name="policy"),
    path("p/<slug:slug>/policy/<int:number>/policy.<slug:form>", policies.download, name="policy_file"),
    path("p/<slug:slug>/openpgp.asc", machines.openpgp_key, name="openpgp_key"),
    path("p/<slug:slug>/disclose.json", machines.disclose_io, name="disclose_io"),
    path("p/<slug:slug>/report/", report.report, name="report"),
    path("p/<slug:slug>/report/questions/", report.report_questions, name="report_questions"),
    path("p/<slug:slug>/report/stop/", report.report_stop, name="report_stop"),
    path("p/<slug:slug>/report/import/", report.report_import, name="report_import"),
    path("p/<slug:slug>/report/draft/<uuid:draft_id>/", report.report_draft, name="report_draft"),
    path("return/", report.come_back, name="return"),
    path("start/", my.start, name="start"),
    path("my/", my.my, name="my"),
    path("my/tokens/", tokens.my_tokens, name="tokens"),
    path("my/tokens/<uuid:token_id>/revoke/", tokens.revoke, name="token_revoke"),
    path("my/settings/", mine.settings, name="settings"),
    path("my/settings/key/", letters.key, name="settings_key"),
    path("my/invited/<uuid:invitation_id>/", together.invited, name="invited"),
    path("join/<str:secret>/", together.join, name="join"),
    path("my/<str:ref>/", my.my_case, name="my_case"),
    path("my/<str:ref>/files/<uuid:file_id>/", my.file, name="file"),
    path("my/<str:ref>/say/", my.say, name="say"),
    path("my/<str:ref>/mail/", letters.case_mail, name="case_mail"),
    path("my/<str:ref>/words/<uuid:message_id>/", my.mend, name="mend"),
    path("my/<str:ref>/withdraw/", my.withdraw, name="withdraw"),
    path("my/<str:ref>/replay/<uuid:replay_id>/", my.my_replay, name="my_replay"),
    path("my/<str:ref>/replay/<uuid:replay_id>/result.json", my.my_result, name="my_result"),
    path("my/<str:ref>/fix/<uuid:replay_id>/", my.my_fix, name="my_fix"),
    path("my/<str:ref>/people/", together.co_reporters, name="co_reporters"),
    path("my/<str:ref>/retest/", my.retest, name="my_retest"),
    path("my/<str:ref>/credit/", my.choose_credit, name="my_credit"),
    path("my/<str:ref>/embargo/", my.embargo, name="my_embargo"),
    path("advisories/", public.advisories, name="advisories"),
    path("advisories/<slug:slug>/", public.one_advisory, name="advisory"),
    path("thanks/", public.thanks, name="thanks"),
    path(".well-known/security.txt", machines.security_txt, name="security_txt"),
    path("favicon.ico", public.favicon, name="favicon"),
    path("healthz", public.healthz, name="healthz"),
]
