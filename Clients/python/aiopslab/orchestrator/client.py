# SPDX-License-Identifier: Apache-2.0
"""Requests to an evaluation server."""

import json
import os
import ssl
import urllib.error
import urllib.request


class ServerError(Exception):
    """A request that the server refused, with its code."""

    def __init__(self, status, problem):
        self.status = status
        self.code = problem.get("code", "")
        super().__init__("%d %s: %s" % (status, self.code, problem.get("detail", "")))


class Client:
    """Speaks to the server of the environment's BASALT_EVALUATION."""

    def __init__(self, address=None, token=None, timeout=180):
        default = os.environ.get("BASALT_EVALUATION", "http://127.0.0.1:8090")
        self.address = (address or default).rstrip("/")
        self.token = token or os.environ.get("BASALT_EVALUATION_TOKEN")
        self.timeout = timeout
        authority = os.environ.get("BASALT_EVALUATION_CA")
        # Without an authority of its own an https server is one that the system trusts.
        self.context = ssl.create_default_context(cafile=authority) if authority else None

    def send(self, method, path, body=None, token=None):
        """Sends one request.

        Returns the JSON of the answer, its text when it is no JSON object. Raises ServerError when it is refused.
        """
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data=data, method=method)
        if data is not None:
            request.add_header("Content-Type", "application/json")
        token = token or self.token
        if token:
            request.add_header("Authorization", "Bearer " + token)
        try:
            with urllib.request.urlopen(request, timeout=self.timeout, context=self.context) as answer:
                text = answer.read().decode()
                kind = answer.headers.get("Content-Type", "")
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace")
            try:
                problem = json.loads(text)
            except ValueError:
                problem = {"detail": text[:200]}
            raise ServerError(error.code, problem) from None
        return json.loads(text) if kind == "application/json" else text
