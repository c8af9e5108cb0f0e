# SPDX-License-Identifier: Apache-2.0
from aiopslab.orchestrator.orchestrator import Orchestrator

__all__ = ["Orchestrator"]
