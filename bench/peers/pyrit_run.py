"""The bench's prompt sent by PyRIT; runs in PyRIT's own environment. Arguments: address, trials, in flight, memory."""

import asyncio
import json
import os
import sys

from pyrit.executor.attack import AttackExecutor, AttackScoringConfig, PromptSendingAttack
from pyrit.prompt_target import OpenAIChatTarget
from pyrit.score import SubStringScorer
from pyrit.setup import initialize_pyrit_async


async def main() -> None:
    """One attack, listed as often as there are trials."""
    url, trials, in_flight, memory = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    await initialize_pyrit_async(memory_db_type=memory)
    target = OpenAIChatTarget(
        endpoint=f"{url}/v1", api_key="none", model_name="bench-1", temperature=1.0, max_completion_tokens=256
    )
    scoring = AttackScoringConfig(objective_scorer=SubStringScorer(substring="BLUE-HERON-42", categories=["bench"]))
    attack = PromptSendingAttack(objective_target=target, attack_scoring_config=scoring)
    executor = AttackExecutor(max_concurrency=in_flight)
    results = await executor.execute_attack_async(attack=attack, objectives=[os.environ["BENCH_PROMPT"]] * trials)
    found = [str(result.outcome.value) for result in results]
    print(json.dumps({"n": len(found), "k": found.count("success")}))


asyncio.run(main())
