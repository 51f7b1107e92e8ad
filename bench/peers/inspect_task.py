"""The bench's prompt as a task of Inspect AI; runs in Inspect's own environment."""

import os

from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.scorer import includes


@task
def bench() -> Task:
    """One sample; the command line repeats it."""
    return Task(
        dataset=[Sample(input=os.environ["BENCH_PROMPT"], target="BLUE-HERON-42")], scorer=includes(ignore_case=False)
    )
