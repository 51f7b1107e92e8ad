"""`manyeyes submit`: send a finding to a program, already measured, over HTTP alone."""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import io
import json
import os
import sys
import time
import uuid
from pathlib import Path
from typing import Any

from manyeyes.commands import answers, handouts, questions, reaching, replay
from manyeyes.commands.questions import UsageError
from manyeyes.commands.sending import Api, Lost, Refusal
from manyeyes.plugins.builtin.targets.saying import printable
from manyeyes.runs.bundle import BundleError, bundled, evidence_in
from manyeyes.runs.opening import opened

HELP = "send a finding with its measurement to a program"
LARGEST = 25 * 1024 * 1024
CONFLICT = 409
WAIT = 60.0
"""Seconds to wait for the program to score a bundle again; it goes on without us."""
ENDED = "digits that were shown for this report before open nothing any more; these take their place"
STOPPED = (2, 3, 4, 130)
"""Exits of a replay after which there is no finding to send: unusable, undecided, out of budget, interrupted."""
NO_FINDING = {"not_reproduced": 1, "inconclusive": 3}
"""Verdicts of a bundle that is sent only on demand, with the exit of a replay that ends so."""
UNCHECKED = (
    "  nothing in it could be checked by machine: it was made by hand or holds no texts; "
    "the counts are the word of its signer"
)
OTHER_FILE = "  it was measured with another reproducer than the case holds, so it says nothing of the claim"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where it goes, who sends it, and where the measurement comes from."""
    group = parser.add_argument_group("program")
    group.add_argument("--to", required=True, metavar="URL", help="address of the program's site")
    group.add_argument("--program", metavar="SLUG", help="which program (needed where the site has several)")
    group.add_argument("--token-env", metavar="VAR", help="environment variable that holds your API token")
    group.add_argument("--submission", metavar="FILE", help="remembers what was sent, so that a resend never doubles")
    answers.add_answers(parser)
    group = parser.add_argument_group("measurement: one of these, or none")
    group.add_argument("--replay", action="store_true", help="replay it here first; takes the options below")
    group.add_argument("--bundle", metavar="FILE", help="send this evidence bundle along")
    group.add_argument("--anyway", action="store_true", help="send it also where it was not reproduced")
    handouts.add_bundle(group)
    questions.add_question(parser)
    questions.add_reproduce(parser)
    reaching.add_target(parser)
    reaching.add_judge(parser)


def run(args: argparse.Namespace) -> int:
    """0 sent, 1 not reproduced and so not sent, 2 unusable or refused, else as `replay` ends; a resend is safe."""
    try:
        token = reaching.key_from(args.token_env) if args.token_env else ""
        _who(args, token)
        api = Api(args.to, token or "")
        report = answers.answers_of(args, questions.reproducer_of(args))
        if not token and not report.get("anonymous") and not report.get("contact"):
            raise UsageError("say who sends it: --token-env VAR, --contact TEXT, or --anonymous")
        program = _program(api, args.program)
        report |= {"target": _target(program, args.system or report.pop("system", None)), **_file(args)}
        code, bundle = _measured(args)
        if code:
            return code
        return _send(args, api, program["slug"], report, bundle)
    except (UsageError, Refusal, BundleError, OSError) as error:
        return questions.refuse(args, error, kind="input", code=2)
    except Lost as error:
        kept = UsageError(f"{error}. Run the same command again: nothing is sent twice.")
        return questions.refuse(args, kept, kind="lost", code=2)


def _who(args: argparse.Namespace, token: str | None) -> None:
    if token and (args.anonymous or args.contact):
        raise UsageError("--token-env says who you are; leave out --anonymous and --contact")
    if args.replay and args.bundle:
        raise UsageError("--replay and --bundle: give one of the two")


def _program(api: Api, slug: str | None) -> dict[str, Any]:
    """The program that takes the report. Raises UsageError where it is not clear which."""
    if slug is None:
        found = api.get("/programs?limit=100")["items"]
        if len(found) != 1:
            named = ", ".join(printable(str(row["slug"])) for row in found) or "none"
            raise UsageError(f"--program: say which one; the site has {named}")
        slug = str(found[0]["slug"])
    if not slug.replace("-", "").replace("_", "").isalnum():
        raise UsageError("--program: write the last part of the program's address")
    try:
        return api.get(f"/programs/{slug}")
    except Refusal as error:
        raise UsageError(f"--program: {slug}: {error}") from None


def _target(program: dict[str, Any], named: str | None) -> str:
    """The id of the system. Raises UsageError where it is not clear which."""
    rows = program["targets"]
    found = [row for row in rows if named is None or named.casefold() in (row["name"].casefold(), row["id"])]
    if len(found) != 1:
        known = ", ".join(printable(row["name"]) for row in rows) or "none"
        raise UsageError(f"--system: say which one; the program has {known}")
    return str(found[0]["id"])


def _file(args: argparse.Namespace) -> dict[str, str]:
    path = Path(args.file)
    return {"reproducer": path.read_text(encoding="utf-8"), "reproducer_name": path.name}


def _measured(args: argparse.Namespace) -> tuple[int, bytes | None]:
    """The exit that ends everything (0: go on), and the bundle to send along."""
    if args.bundle:
        return _looked_at(args, _fitting(Path(args.bundle).read_bytes()))
    if args.replay:
        code, args.out = _replayed(args)
        if code in STOPPED or (code and not args.anyway):
            print(f"manyeyes: nothing was sent; the run is kept in {args.out}", file=sys.stderr)
            return code, None
    if not args.out:
        return 0, None
    return 0, _fitting(bundled(evidence_in(Path(args.out)), handouts.signing_key(args), texts=not args.no_texts))


def _looked_at(args: argparse.Namespace, data: bytes) -> tuple[int, bytes | None]:
    """The bundle where it is one and holds a finding; looked at before the report starts anybody's clock."""
    try:
        bundle, file = opened(data)
        with file:
            bundle.signer()
            bundle.document()
            verdict = str(bundle.result().get("verdict"))
            for _trial in bundle.trials():
                pass  # a line that cannot be read raises
    except BundleError as error:
        raise UsageError(f"--bundle: {args.bundle}: {printable(str(error))}. Nothing was sent.") from None
    if verdict in NO_FINDING and not args.anyway:
        said = f"manyeyes: nothing was sent; {args.bundle} says {verdict}. Send it all the same with --anyway."
        print(said, file=sys.stderr)
        return NO_FINDING[verdict], None
    return 0, data


def _replayed(args: argparse.Namespace) -> tuple[int, str]:
    """Runs `replay` with the same options; its exit, and where the run is kept."""
    bare = argparse.ArgumentParser()
    replay.add_arguments(bare)
    usual = vars(bare.parse_args([args.file]))
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        code = replay.run(argparse.Namespace(**{**usual, **vars(args), "bundle": None, "json": True}))
    try:
        data = json.loads(said.getvalue())
    except ValueError:
        return 2, str(args.out or "")
    if data.get("verdict"):
        rated = next((row for row in data["settings"] if row.get("rated")), data)
        print(f"replayed here: {data['verdict']}, {rated['k']} of {rated['n']} at the rated setting", file=sys.stderr)
    return code, str(data.get("out") or args.out or "")


def _fitting(data: bytes) -> bytes:
    if len(data) > LARGEST:
        raise UsageError("the bundle is larger than 25 MB; leave out what the target said with --no-texts")
    return data


def _send(args: argparse.Namespace, api: Api, slug: str, report: dict[str, Any], bundle: bytes | None) -> int:
    memory = _Memory(args, api.base, slug)
    got = _sent(api, slug, report, memory)
    if got.get("receipt"):
        _shown_at_once(got)
        api.token = api.post("/tokens/receipt", {"digits": got["receipt"]})["token"]
    looked = None
    if bundle is not None:
        looked = _measurement_sent(api, got["ref"], bundle, memory)
    found = {**got, "bundle": looked, "submission": str(memory.file)}
    questions.show(args, found, _told(got, looked))
    return 0


def _sent(api: Api, slug: str, report: dict[str, Any], memory: _Memory) -> dict[str, Any]:
    """What sending the report came to."""
    try:
        return api.post(f"/programs/{slug}/reports", {**report, "submission_id": memory.name})
    except Refusal as error:
        if error.code == CONFLICT:
            other = (
                f"If it was sent before in another way, name another file with --submission: {memory.file} holds it."
            )
            error.args = (f"{error}\n{other}",)
        raise


def _measurement_sent(api: Api, ref: str, bundle: bytes, memory: _Memory) -> dict[str, Any]:
    """The bundle as the program has it, scored again if that is done in time. Whatever fails, the report is there."""
    digest, place = hashlib.sha256(bundle).hexdigest(), f"/cases/{ref}/bundles"
    try:
        looked = api.upload(place, bundle, name="evidence.zip", resend=f"{memory.name}-{digest[:32]}")
    except (Refusal, Lost) as error:
        error.args = (f"{printable(ref)} has arrived, its measurement has not: {error}",)
        raise
    return _awaited(api, f"{place}/{looked['id']}", looked)


def _awaited(api: Api, place: str, looked: dict[str, Any]) -> dict[str, Any]:
    """The measurement once it was scored again there, or as it stands after a while: it has arrived either way."""
    until = time.monotonic() + WAIT
    again = looked["again"]
    while looked.get("state") != "done" and time.monotonic() < until:
        time.sleep(1.0)
        try:
            looked = {**api.get(place), "again": again}
        except (Refusal, Lost):  # a token that may not read, a site that restarts
            break
    return looked


def _shown_at_once(got: dict[str, Any]) -> None:
    """The receipt, before anything else can fail; it is written nowhere."""
    print(f"receipt: {printable(str(got['receipt']))} (it is shown once; keep it)", file=sys.stderr)
    if got["again"]:
        print(ENDED, file=sys.stderr)


def _told(got: dict[str, Any], looked: dict[str, Any] | None) -> str:
    lines = [f"{'already there' if got['again'] else 'sent'}: {printable(str(got['ref']))}"]
    if got.get("receipt"):
        lines.append(f"receipt: {printable(str(got['receipt']))}")
        if got["again"]:
            lines.append(ENDED)
    lines.append(f"a person answers by {printable(str(got['answer_by']))}: {printable(str(got['url']))}")
    if looked is not None:
        lines.append(_measurement(looked))
    return "\n".join(lines)


def _measurement(looked: dict[str, Any]) -> str:
    """How it stands with the bundle over there."""
    if looked.get("state") != "done":
        return "measurement: arrived, being scored again there; the page of the case shows what it comes to"
    if not looked["scored"]:
        return f"measurement: kept, not scored again there: {printable(str(looked['found'].get('why', '')))}"
    return _scored(looked["found"])


def _scored(found: dict[str, Any]) -> str:
    """What the program made of the bundle."""
    texts, claim, measured = found["texts"], found.get("claim"), found.get("measured")
    same = found["intact"] and found["identical"]
    words = [f"measurement: scored again there as {printable(str(texts.get('rescored', 'no verdict')))}"]
    shown = found["differences"]
    differing = found.get("differing", len(shown)) + len(found["problems"])
    words.append("nothing differs" if same else f"{differing} {'thing differs' if differing == 1 else 'things differ'}")
    other = found.get("same_file") is False
    if claim and measured and not other:
        words.append(f"claimed {claim['k']} of {claim['n']}, measured {measured['k']} of {measured['n']}")
    lines = ["; ".join(words), *([OTHER_FILE] if other else [])]
    lines += [UNCHECKED] if found.get("by_machine") is False else []
    lines += [f"  {printable(str(one))}" for one in found["problems"]]
    for what, on_record, again in shown:
        lines.append(f"  {printable(str(what))}: on record {printable(str(on_record))}; found {printable(str(again))}")
    if found.get("differing", 0) > len(shown):
        lines.append(f"  and {found['differing'] - len(shown)} more")
    return "\n".join(lines)


class _Memory:
    """The name under which a report is sent, kept beside the reproducer: the same file again never doubles."""

    def __init__(self, args: argparse.Namespace, site: str, slug: str) -> None:
        self.file = Path(args.submission or f"{args.file}.submission.json")
        text = hashlib.sha256(Path(args.file).read_bytes()).hexdigest()
        self.name = self._known(f"{site} {slug} {text}")

    def _known(self, place: str) -> str:
        rows: dict[str, str] = {}
        with contextlib.suppress(OSError, ValueError):
            found = json.loads(self.file.read_text(encoding="utf-8"))
            rows = {str(where): str(name) for where, name in found.items()} if isinstance(found, dict) else {}
        if place not in rows:
            rows[place] = str(uuid.uuid4())
            draft = self.file.with_name(f".{self.file.name}.draft")
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
                json.dump(rows, out)
            os.replace(draft, self.file)  # before anything is sent: a lost answer must find its name again
        return rows[place]
