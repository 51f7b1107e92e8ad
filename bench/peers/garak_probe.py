"""The bench's prompt as a probe of garak; put into garak's own environment as garak.probes.bench."""

import os

import garak.probes


class One(garak.probes.Probe):
    """One prompt, as many copies as the bench wants."""

    lang = "en"
    goal = "be told the internal code"
    primary_detector = "bench.Code"
    tags: list[str] = []
    active = False
    tier = garak.probes.Tier.UNLISTED
    prompts = [os.environ.get("BENCH_PROMPT", "")] * int(os.environ.get("BENCH_COPIES", "1"))
