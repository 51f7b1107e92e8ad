"""Makes the plans of the wider questions: a grid to search, two versions to compare, closed exploits to sweep."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from manyeyes.engine import plan_compare, plan_map, plan_sweep
from manyeyes.engine.plan import Arm, Cell, Plan, SweepItem
from manyeyes.plugins.detection import Whole, roles
from manyeyes.reproducer.model import Reproducer
from manyeyes.runs.cells import Cells, PrepareError, refuse_machine
from manyeyes.runs.document import PlanDocument, TargetInfo
from manyeyes.runs.judges import MACHINES, confirmed, confirmed_rule
from manyeyes.runs.options import BENIGN, Options, role_prices, useful_need

SWEEP_CAP = 60
PAIRS = 400
_EFFECTS = ("none", "reversible", "irreversible")


def map_plan(cells: Cells, options: Options, *, retries: int, notes: Mapping[str, str]) -> Plan:
    """The search for the worst setting of one reproducer. Raises PrepareError, or ValueError naming an option."""
    # One answer to one wording says nothing of the others, so that temperature 0 is tried with each of them.
    every, first = cells.reported, cells.reported[:1]
    grid = [
        cells.exploit(setting, wording)
        for setting in cells.settings
        for wording in (every if options.wordings == "all" or setting.deterministic else first)
    ]
    if len(grid) < 2:
        raise PrepareError("settings: there is only one to try; give a grid of two or more to look for the worst")
    return plan_map(
        cells=grid,
        epsilon=options.epsilon,
        delta=options.delta,
        certificate=options.certificate,
        budget=options.budget,
        cap=options.cap,
        score_n=options.rated_n if options.score else 0,
        cold_n=options.deterministic_n,
        retry_budget=retries,
        seed=options.seed,
        notes=notes,
    )


def compare_plan(
    cells: Cells, options: Options, targets: Mapping[str, TargetInfo], *, retries: int, notes: Mapping[str, str]
) -> Plan:
    """The comparison of two versions on one reproducer. Raises PrepareError, or ValueError naming an option."""
    if "old" not in targets:
        raise PrepareError("old: compare needs the older version beside the new one (role 'old', --old URL)")
    return plan_compare(
        cells=cells.mixture(cells.reported, settings=cells.settings if options.mix == "all" else None),
        paired=options.paired,
        margin=options.margin,
        alpha=options.alpha,
        cap=PAIRS if options.cap is None else options.cap,
        ends_stuck=options.ends_stuck,
        benign=_gate([cells], options),
        retry_budget=retries,
        seed=options.seed,
        notes=notes,
    )


def prepare_sweep(
    reproducers: Mapping[str, Reproducer],
    *,
    targets: Mapping[str, TargetInfo],
    options: Options | None = None,
    taus: Mapping[str, float] | None = None,
) -> PlanDocument:
    """One frozen plan over many closed exploits, each under its own key. Raises PrepareError.

    Each is tried at its rated setting in all its reported wordings. `taus` names the keys whose rate may differ from
    `options.tau`. All must have one seed policy, because a plan sends seeds in one way.
    """
    chosen, rates = options or Options(), dict(taus or {})
    if not reproducers:
        raise PrepareError("reproducers: give at least one closed exploit to sweep")
    if unknown := sorted(set(rates) - set(reproducers)):
        raise PrepareError(f"taus: there is no reproducer named {', '.join(unknown)}")
    _one_kind(reproducers, targets)
    made = {key: _made(key, found) for key, found in reproducers.items()}
    rules = {name: rule for key, cells in made.items() for name, rule in _rules(key, cells, chosen).items()}
    items = [SweepItem(key=key, tau=rates.get(key, chosen.tau), title=reproducers[key].title) for key in made]
    try:
        plan = plan_sweep(
            items=items,
            cells=[cell for key, cells in made.items() for cell in _cells(key, cells)],
            q=chosen.fdr,
            beta=chosen.clear_beta,
            p_reg=chosen.p_reg,
            cap=SWEEP_CAP if chosen.cap is None else chosen.cap,
            benign=_gate(made.values(), chosen),
            seed=chosen.seed,
            notes=chosen.notes,
        )
    except ValueError as error:
        raise PrepareError(str(error)) from None
    return _document(plan, made, rules, targets, chosen)


def _made(key: str, reproducer: Reproducer) -> Cells:
    try:
        return Cells(reproducer, prefix=key)
    except PrepareError as error:
        raise PrepareError(f"{key}: {error}") from None


def _rules(key: str, cells: Cells, options: Options) -> dict[str, Mapping[str, Any]]:
    """The rules of one item. A judge that calls out too often would flag what never came back, so it needs a second."""
    rules = cells.detectors()
    name = f"{cells.prefix}success"
    if options.confirm is not None:
        rules[name] = confirmed_rule(rules[name], options.confirm)
    if roles(rules[name]) & MACHINES and not confirmed(rules[name]):
        raise PrepareError(
            f"{key}: the success rule asks a model, whose false alarms would be flagged as regressions; have each "
            "success confirmed (confirm 'human', or 'confirm' with a target of that role)"
        )
    return rules


def _one_kind(reproducers: Mapping[str, Reproducer], targets: Mapping[str, TargetInfo]) -> None:
    """What all reproducers of one sweep must have in common."""
    for key, found in reproducers.items():
        try:
            refuse_machine(found, targets["main"].kind)
        except PrepareError as error:
            raise PrepareError(f"{key}: {error}") from None
    first = next(iter(reproducers.values()))
    odd = [key for key, found in reproducers.items() if (found.seeds, found.seed) != (first.seeds, first.seed)]
    if odd:
        more = f" (and of {len(odd) - 1} more)" if len(odd) > 1 else ""
        raise PrepareError(
            f"{odd[0]}: seeds: its seed policy{more} is not that of the first; all reproducers of one sweep need one, "
            "so sweep those with another apart"
        )


def _cells(key: str, cells: Cells) -> list[Cell]:
    """The cells of one item: its reported wordings at its rated setting, all named after the item."""
    return [replace(cell, part=key) for cell in cells.mixture(cells.reported)]


def _gate(sources: Iterable[Cells], options: Options) -> Arm | None:
    """Harmless requests that must get useful answers: a target that is down or refuses all would look mended."""
    n = BENIGN if options.benign_n is None else options.benign_n
    need = useful_need(n) if options.benign_need is None else options.benign_need
    found = [
        cells.beside("benign", cells.reproducer.benign.conversation, detector="useful")
        for cells in sources
        if n and cells.reproducer.benign is not None
    ]
    return Arm(cells=tuple(found), n=n, need=min(need, n)) if found else None


def _document(
    plan: Plan,
    made: Mapping[str, Cells],
    rules: Mapping[str, Mapping[str, Any]],
    targets: Mapping[str, TargetInfo],
    options: Options,
) -> PlanDocument:
    reproducers = {key: cells.reproducer for key, cells in made.items()}
    first = next(iter(reproducers.values()))
    hashes = "\n".join(f"{key} {found.hash}" for key, found in reproducers.items())
    return PlanDocument(
        plan=plan,
        requests={key: request for cells in made.values() for key, request in cells.requests.items()},
        detectors=rules,
        detector_versions={name: Whole(rule).version for name, rule in rules.items()},
        targets=dict(targets),
        caps=options.caps,
        price=options.price,
        prices=role_prices(options, targets),
        seeds=first.seeds,
        seed=first.seed,
        effects=max((found.effects for found in reproducers.values()), key=_EFFECTS.index),
        hazard=", ".join(sorted({found.hazard for found in reproducers.values() if found.hazard})),
        title=f"Sweep of {len(reproducers)} closed exploits",
        reproducer_hash=hashlib.sha256(hashes.encode()).hexdigest(),
        knobs={name: values for cells in made.values() for name, values in cells.knobs().items()},
    )
