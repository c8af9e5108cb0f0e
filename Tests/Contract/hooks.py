"""What schemathesis cannot know of Basalt: forms of opaque texts, and waits that would only cost time."""

import base64

import schemathesis
from hypothesis import strategies as st

names = st.from_regex(r"\A[a-z0-9]([a-z0-9.-]{0,20}[a-z0-9])?\Z")
cursors = st.builds(lambda project, name: base64.b64encode(f"{project}/{name}".encode()).decode(),
                    st.just("") | names, names)
schemathesis.openapi.format("cursor", cursors)

versions = st.builds(lambda *parts: ".".join(map(str, parts)), st.integers(0, 2), st.integers(0, 10**6),
                     st.integers(0, 10**6))
schemathesis.openapi.format("resource-version", versions)


@schemathesis.hook
def before_call(context, case, kwargs):
    """A watch ends at once: that it goes on is tested elsewhere."""
    query = case.query or {}
    if "watch" in query or "wait" in query:
        if query.get("watch") == "sse" or "wait" in query:
            if "wait" not in query or _is_seconds(query["wait"]):
                query["wait"] = "0.05"
    if isinstance(case.body, dict) and isinstance(case.body.get("waitSeconds"), (int, float)):
        if not isinstance(case.body["waitSeconds"], bool):
            case.body["waitSeconds"] = min(case.body["waitSeconds"], 0.05)


def _is_seconds(text):
    try:
        return float(str(text).removesuffix("s")) >= 0
    except ValueError:
        return False
