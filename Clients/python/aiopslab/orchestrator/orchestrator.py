# SPDX-License-Identifier: Apache-2.0
"""AIOpsLab's orchestrator: puts one problem to one agent, step by step."""

import asyncio
import json
import os
import time

from aiopslab.orchestrator.client import Client, ServerError
from aiopslab.orchestrator.problems.registry import ProblemRegistry

NEXT_ACTION = "Please take the next action"


class Orchestrator:
    """The fleet, the problem and its grading are the server's; the loop with the agent is here."""

    def __init__(self, results_dir=None, client=None):
        self.client = client or Client()
        self.probs = ProblemRegistry(self.client)
        self.results_dir = results_dir
        self.agent = None
        self.agent_name = "agent"
        self.session = None
        self.problem_id = None
        self.history = []
        self._token = None
        self._state = None

    def register_agent(self, agent, name="agent"):
        """`agent` has `async def get_action(self, state: str) -> str`."""
        self.agent = agent
        self.agent_name = name

    def init_problem(self, problem_id):
        """Makes the fleet and whatever is done to it.

        Returns the task, the instructions and the actions with their descriptions, each a text.
        """
        wish = self.probs.get_problem_instance(problem_id)
        wish["agent"] = self.agent_name.replace(" ", "-").replace(",", "-")[:64]
        wish["compat"] = os.environ.get("BASALT_EVALUATION_COMPAT", "strict")
        wish["steps"] = 1000
        created = self.client.send("POST", "/v1/aiops/sessions", wish)
        self.session = created["session"]["id"]
        self.problem_id = problem_id
        self.history = []
        self._token = created["token"]
        card = self._get("?wait=120")
        while card["state"] == "preparing":
            card = self._get("?wait=120")
        if card["state"] != "active":
            raise RuntimeError(card.get("message", "The session could not be played."))
        self._state = card["state"]
        brief = self._get("/brief")
        actions = {
            action["verb"]: "%s\n%s" % (self._usage(action), action["documentation"])
            for action in brief["actions"]
        }
        instructions = (
            "You are asked for %s only. Answer each time with one call in a block between lines of three "
            "backticks, such as\n```\nget_alerts()\n```" % card["stage"]
        )
        return brief["task"], instructions, actions

    @staticmethod
    def _usage(action):
        parameters = ", ".join(
            "%s: %s%s" % (each["name"], each["form"], "" if each["isRequired"] else " = None")
            for each in action["parameters"]
        )
        return "%s(%s)" % (action["verb"], parameters)

    def _get(self, path):
        return self.client.send("GET", "/v1/aiops/sessions/%s%s" % (self.session, path), token=self._token)

    async def ask_agent(self, state):
        """What the agent answers to a text."""
        if self.agent is None:
            raise RuntimeError("Register an agent first.")
        answer = await self.agent.get_action(state)
        self.history.append({"role": "assistant", "content": answer})
        return answer

    async def ask_env(self, answer):
        """What the fleet answers to what the agent said."""
        path = "/v1/aiops/sessions/%s/text" % self.session
        loop = asyncio.get_running_loop()
        seen = await loop.run_in_executor(
            None, lambda: self.client.send("POST", path, {"content": answer}, token=self._token)
        )
        self._state = seen["state"]
        self.history.append({"role": "env", "content": seen["text"]})
        return seen["text"]

    async def start_problem(self, max_steps):
        """Lets the agent act until it submits, for at most so many steps.

        Returns history, final_state, results and framework_overhead (seconds).
        """
        if self.session is None:
            raise RuntimeError("Call init_problem first.")
        began = time.time()
        instruction, text, thinking = NEXT_ACTION, "", 0.0
        try:
            for _ in range(max_steps):
                asked = time.time()
                action = await self.ask_agent(instruction)
                thinking += time.time() - asked
                text = await self.ask_env(action)
                if self._state != "active":
                    break
                instruction = text + "\n" + NEXT_ACTION
        except BaseException:
            self._abort()
            raise
        final = "VALID_SUBMISSION" if self._state == "done" else text
        if self._state == "active":
            self._give_up()
        ended = time.time()
        results = self._results()
        result = {
            "history": self.history,
            "final_state": final,
            "results": results,
            "framework_overhead": max(0.0, ended - began - thinking),
        }
        self._save(result, began, ended)
        self.session = None
        return result

    def _give_up(self):
        """Ends without an answer, which is graded as AIOpsLab grades it: the fleet as it is, and no solution."""
        path = "/v1/aiops/sessions/%s/text" % self.session
        seen = self.client.send("POST", path, {"content": "```\nsubmit()\n```"}, token=self._token)
        self._state = seen["state"]
        if self._state == "active":
            self._abort()

    def _abort(self):
        try:
            self.client.send("POST", "/v1/aiops/sessions/%s/abort" % self.session, token=self._token)
        except (ServerError, OSError):
            pass

    def _results(self):
        steps = sum(1 for entry in self.history if entry["role"] == "assistant")
        if self._state != "done":
            return {"steps": steps, "success": False}
        files = self._get("/export?format=aiopslab")["files"]
        for contents in files.values():
            return dict(json.loads(contents)["results"], steps=steps)
        return {"steps": steps}

    def _save(self, result, began, ended):
        if self.results_dir is None:
            return
        os.makedirs(self.results_dir, exist_ok=True)
        saved = {
            "agent": self.agent_name,
            "session_id": self.session,
            "problem_id": self.problem_id,
            "start_time": began,
            "end_time": ended,
            "trace": result["history"],
            "results": result["results"],
        }
        name = "%s_%d.json" % (self.session, int(began))
        with open(os.path.join(str(self.results_dir), name), "w", encoding="utf-8") as file:
            json.dump(saved, file, indent=2)
