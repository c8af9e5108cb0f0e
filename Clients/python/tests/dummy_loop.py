# SPDX-License-Identifier: Apache-2.0
"""The loops of AIOpsLab's clients, without a model: run against the server of BASALT_EVALUATION."""

import asyncio
import json
import re
import sys
import tempfile

from aiopslab.orchestrator import Orchestrator
from aiopslab.orchestrator.problems.registry import ProblemRegistry


class DummyAgent:
    """Answers at once, as AIOpsLab's smoke test does."""

    def __init__(self, answer):
        self.answer = answer

    async def get_action(self, state):
        return "```\n%s\n```" % self.answer


class AlertReader:
    """Looks at the alerts, and says which agent has no process."""

    def __init__(self):
        self.steps = 0

    def init_context(self, task, instructions, actions):
        self.actions = actions

    async def get_action(self, state):
        self.steps += 1
        if self.steps == 1:
            return "I look first.\n```\nget_alerts()\n```"
        found = re.findall(r"AgentDown (agent/[\w-]+)", state)
        return "```\nsubmit(%s)\n```" % json.dumps(found)


def play(problem, agent, max_steps, results=None):
    orchestrator = Orchestrator(results_dir=results)
    orchestrator.register_agent(agent, name="dummy")
    task, instructions, actions = orchestrator.init_problem(problem)
    assert task and instructions and "submit" in actions and "get_logs" in actions
    if hasattr(agent, "init_context"):
        agent.init_context(task, instructions, actions)
    return asyncio.run(orchestrator.start_problem(max_steps=max_steps))


def main():
    names = ProblemRegistry().get_problem_ids()
    assert "noop-01-detection-1" in names and "ag-01-mitigation-1" in names, names[:5]
    assert ProblemRegistry().get_problem_ids("mitigation")
    right = play("noop-01-detection-1", DummyAgent('submit("No")'), 1)
    assert right["results"]["Detection Accuracy"] == "Correct", right["results"]
    assert right["final_state"] == "VALID_SUBMISSION" and right["results"]["steps"] == 1
    wrong = play("ag-01-detection-1", DummyAgent('submit("No")'), 1)
    assert wrong["results"]["Detection Accuracy"] == "Incorrect", wrong["results"]
    named = play("ag-01-detection-1", DummyAgent('submit(has_anomaly="Yes")'), 1)
    assert named["results"]["Detection Accuracy"] == "Invalid Format", named["results"]
    with tempfile.TemporaryDirectory() as folder:
        found = play("ag-01-localization-1", AlertReader(), 5, results=folder)
        assert found["results"]["Localization Accuracy"] == 100.0, found["results"]
        assert [entry["role"] for entry in found["history"]] == ["assistant", "env"] * 2
    silent = play("ag-01-detection-1", DummyAgent("get_alerts()"), 2)
    assert silent["results"]["Detection Accuracy"] == "Invalid Format", silent["results"]
    assert silent["results"]["steps"] == 2 and silent["final_state"] != "VALID_SUBMISSION"
    try:
        Orchestrator().init_problem("nothing-detection-1")
    except ValueError:
        print("ok")
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
