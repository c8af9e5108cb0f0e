# SPDX-License-Identifier: Apache-2.0
"""The problems that a server has, under names of AIOpsLab's pattern."""

import os

from aiopslab.orchestrator.client import Client

# AIOpsLab's words for what is asked, and the server's.
STAGES = {
    "detection": "detection",
    "localization": "localisation",
    "analysis": "analysis",
    "mitigation": "mitigation",
}


class ProblemRegistry:
    """`PROBLEM_REGISTRY` maps the name of a problem to what the server is asked for."""

    def __init__(self, client=None):
        client = client or Client()
        seed = int(os.environ.get("BASALT_EVALUATION_SEED", "1"))
        self.PROBLEM_REGISTRY = {}
        for card in client.send("GET", "/v1/aiops/problems")["items"]:
            if card.get("refused"):
                continue
            template = card["id"]
            is_noop = card["kind"] in ("noop", "decoy")
            for task, stage in STAGES.items():
                wish = {"problem": template, "seed": seed, "stages": [stage]}
                name = "%s-%s-%d" % (template.lower(), task, seed)
                if is_noop and task != "detection":
                    continue
                self.PROBLEM_REGISTRY[name] = dict(wish, noop=is_noop)
                if not is_noop and task == "detection":
                    name = "%s-noop-detection-%d" % (template.lower(), seed)
                    self.PROBLEM_REGISTRY[name] = dict(wish, noop=True)

    def get_problem_instance(self, problem_id):
        """What the server is asked for; raises ValueError for a name that it does not know."""
        if problem_id not in self.PROBLEM_REGISTRY:
            raise ValueError("Problem ID %s not found in registry." % problem_id)
        return dict(self.PROBLEM_REGISTRY[problem_id])

    def get_problem(self, problem_id):
        return self.PROBLEM_REGISTRY.get(problem_id)

    def get_problem_ids(self, task_type=None):
        return [name for name in self.PROBLEM_REGISTRY if task_type is None or task_type in name]

    def get_problem_count(self, task_type=None):
        return len(self.get_problem_ids(task_type))
