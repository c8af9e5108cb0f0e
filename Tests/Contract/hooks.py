"""What schemathesis cannot know of Basalt: forms of opaque texts, names that are there, and waits that would only cost
time."""

import base64
import os
import re
import zlib

import requests
import schemathesis
from hypothesis import strategies as st

NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?")
names = st.from_regex(r"\A[a-z0-9]([a-z0-9.-]{0,20}[a-z0-9])?\Z")
schemathesis.openapi.format(
    "cursor",
    st.builds(lambda project, name: base64.b64encode(f"{project}/{name}".encode()).decode(),
              st.just("") | names, names))
schemathesis.openapi.format(
    "resource-version",
    st.builds(lambda *parts: ".".join(map(str, parts)), st.integers(0, 2), st.integers(0, 10**6),
              st.integers(0, 10**6)))


@schemathesis.hook
def before_call(context, case, kwargs):
    """Half of the requests that could reach an object do; a watch ends at once."""
    _shorten_waits(case)
    _leave_out(case, kwargs)
    if case.method == "DELETE" or zlib.crc32(repr((case.body, case.query)).encode()) % 2:
        return
    path = case.path_parameters or {}
    for key, there in (("name", "web-1"), ("project", "shop")):
        if NAME.fullmatch(str(path.get(key, ""))):
            path[key] = there
    headers = case.headers or {}
    if case.method in ("PUT", "PATCH", "POST") and "If-Match" in headers:
        item = os.environ["SERVER"] + case.formatted_path.removesuffix("/rollback")
        answer = requests.get(item, verify=os.environ["CA"], timeout=20,
                              headers={"Authorization": "Bearer " + os.environ["TOKEN"]})
        if "ETag" in answer.headers:
            headers["If-Match"] = answer.headers["ETag"]
        if isinstance(case.body, dict) and isinstance(case.body.get("metadata"), dict):
            if NAME.fullmatch(str(case.body["metadata"].get("name", ""))):
                case.body["metadata"]["name"] = path.get("name", path.get("project"))


def _shorten_waits(case):
    query = case.query or {}
    if query.get("watch") == "sse" or "wait" in query:
        if re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?s?", str(query.get("wait", "0"))):
            query["wait"] = "0.05"
    if isinstance(case.body, dict) and type(case.body.get("waitSeconds")) in (int, float):
        case.body["waitSeconds"] = min(case.body["waitSeconds"], 0.05)


def _leave_out(case, kwargs):
    """A request that is to lack its credential gets it from the command line all the same."""
    data = case.meta.phase.data if case.meta else None
    if (getattr(data, "parameter", None) or "").lower() != "authorization" or data.parameter_location != "header":
        return
    for headers in (case.headers, kwargs.get("headers")):
        if headers is not None:
            headers.pop("Authorization", None)
