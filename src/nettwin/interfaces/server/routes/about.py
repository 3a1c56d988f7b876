"""About: what the API tells of its answers in OpenAPI: examples, problems, jobs under way."""

from __future__ import annotations

from typing import Any

PROBLEM_SCHEMA = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "remedy": {"type": "string"},
    },
}
PROBLEM = {
    "type": "urn:nettwin:problem:unknown-name",
    "title": "Not Found",
    "status": 404,
    "detail": 'there is no link "A->C"; did you mean: A->B',
    "remedy": "",
}
JOB = {
    "job": {
        "id": "3f2a9b7c1d4e5f60",
        "kind": "optimize",
        "state": "running",
        "person": "ada",
        "progress": 0.4,
        "told": {"stage": "local search", "best": 0.71, "bound": 0.66},
    }
}
WORDS = {
    400: "The request cannot be read",
    401: "No token, or one that does not hold",
    403: "The person may not do this, or the request comes from another page",
    404: "There is no such thing",
    409: "It cannot be done now",
    413: "Too large",
    421: "The server is not called so",
    422: "What was given is wrong",
    429: "Too many requests",
    500: "An error in nettwin itself",
    501: "Something that is needed is not installed",
    502: "The network does not do what it is asked",
    503: "Ended before it was done",
}
USUAL = (400, 401, 403, 404, 409, 413, 421, 422, 429)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems that a request may be answered with."""
    content = {"application/problem+json": {"schema": PROBLEM_SCHEMA, "example": PROBLEM}}
    return {status: {"description": WORDS[status], "content": content} for status in statuses}


def other(status: int, words: str, *problem: int, **content: Any) -> dict[int | str, Any]:
    """What a request is answered with that is no document: by media type, `text_csv` for text/csv;
    and the problems."""
    types = {name.replace("_", "/", 1).replace("_", "-"): one for name, one in content.items()}
    found: dict[str, Any] = {"description": words} | ({"content": types} if types else {})
    return {status: found} | problems(*problem)


TEXT: dict[str, Any] = {"schema": {"type": "string"}}


def gives(example: Any, words: str = "The answer", status: int = 200) -> dict[int | str, Any]:
    """What a request is answered with: an example, and the usual problems."""
    schema: dict[str, Any] = {"type": "array" if isinstance(example, list) else "object"}
    content = {"application/json": {"schema": schema, "example": example}}
    return {status: {"description": words, "content": content}} | problems(*USUAL)


def answers(example: Any, status: int = 200) -> dict[int | str, Any]:
    """What a question is answered with: a document, or a job under way."""
    under_way = {
        "description": "It takes longer: ask for the job, or follow its events",
        "content": {"application/json": {"schema": {"type": "object"}, "example": JOB}},
    }
    return gives(example, status=status) | {202: under_way} | problems(501, 502, 503)
