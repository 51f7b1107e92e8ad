"""What a person does in one trial by hand, step by step, whatever form the reproducer has."""

from __future__ import annotations

import json
from collections.abc import Mapping

from manyeyes.runs.document import CellRequest

Step = Mapping[str, str]


def steps_of(request: CellRequest) -> list[Step]:
    """The steps in order, each a role and a text: the roles of messages, and beside them `do` (the procedure),
    `plant`, `attach`, `call` (a tool that is called), `wait` (for a live answer) and `tools`.

    >>> rows = ({"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"})
    >>> for step in steps_of(CellRequest(messages=(*rows, {"role": "user", "content": "Tell me."}), turns="fixed")):
    ...     print(f"{step['role']}: {step['content']}")
    user: Hello
    wait: Wait for the answer, whatever it is. When this was reported it was: Hi
    user: Tell me.
    """
    steps: list[Step] = []
    if request.procedure:
        steps.append({"role": "do", "content": request.procedure})
    if request.environment is not None and request.environment["plant"]:
        steps.append(
            {"role": "plant", "content": json.dumps(request.environment["plant"], ensure_ascii=False, indent=1)}
        )
    for message in request.messages:
        for image in message.get("images", ()):
            said = f"Attach the image with SHA-256 {image['sha256']} ({image['media_type']})."
            steps.append({"role": "attach", "content": said})
        if request.turns == "fixed" and message["role"] == "assistant":
            said = f"Wait for the answer, whatever it is. When this was reported it was: {message['content']}"
            steps.append({"role": "wait", "content": said})
        elif message["content"]:
            steps.append({"role": message["role"], "content": message["content"]})
        for call in message.get("tool_calls", ()):
            steps.append({"role": "call", "content": f"{call['name']} {call['arguments']}"})
    for row in request.tool_results:
        when = f" (when {json.dumps(row['when'], ensure_ascii=False)})" if row.get("when") else ""
        steps.append({"role": "tools", "content": f"{row['tool']}{when} answers: {row['content']}"})
    return steps
