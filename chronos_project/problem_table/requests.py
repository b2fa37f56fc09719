"""What is wrong with a request as a whole."""

from __future__ import annotations

from chronos_project.problem_table.row import Problem

REQUESTS = (
    Problem(
        "bad_request suspicious_request unreadable_body",
        "The request cannot be read",
        "The request line, a header or the way the body was sent is not valid HTTP.",
        "Content-Length: abc",
        "Let an HTTP library build the request instead of writing it by hand.",
    ),
    Problem(
        "bad_host",
        "Unknown host",
        "The Host header names no host that this installation answers for.",
        "Host: other.example",
        "Use the address that Chronos is published under, or add it to CHRONOS_ALLOWED_HOSTS.",
    ),
    Problem(
        "nul_character",
        "U+0000 in the address",
        "The path or the query string has the character U+0000, which no text here can hold.",
        "GET /api/v1/jobs?search=a%00b",
        "Leave the character out.",
    ),
    Problem(
        "not_found",
        "Nothing there",
        "No such address, no such object, or one that belongs to another team: all three look"
        " alike on purpose.",
        "GET /api/v1/jobs/no-such-job",
        "Check the address and the id, and that you are signed in as the right user.",
    ),
    Problem(
        "method_not_allowed",
        "Method not allowed",
        "The address exists, but not for this method. The Allow header lists those that work.",
        "DELETE /api/v1/auth/me",
        "Use one of the allowed methods; /api/docs shows what each does.",
    ),
    Problem(
        "not_acceptable",
        "No such representation",
        "The Accept header asks for a format that this address does not have.",
        "Accept: application/xml",
        "Ask for application/json.",
    ),
    Problem(
        "unsupported_media_type",
        "Unsupported content type",
        "The body is sent as something other than JSON, or without a Content-Type.",
        "Content-Type: application/x-www-form-urlencoded",
        "Send Content-Type: application/json.",
    ),
    Problem(
        "body_too_large",
        "Body too large",
        "A body may have 1 MiB; one with many starts as application/x-ndjson 8 MiB.",
        "A POST of 3 MiB",
        "Send less, for example a reference to the data instead of the data.",
    ),
    Problem(
        "csrf_failed",
        "Cross-site check failed",
        "A browser session must prove that the request comes from a page of Chronos.",
        "A form that was open while you signed in again",
        "Reload the page and send it again. Programs use a bearer token, which needs no proof.",
    ),
)
