"""Every problem that an answer can name, with its cause, an example, and the way out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """A row of the table. A code that ends in ``.*`` stands for all that begin like it."""

    codes: str
    title: str
    cause: str
    example: str
    fix: str

    @property
    def words(self) -> list[str]:
        """The codes without the star of a family."""
        return [code.removesuffix(".*") for code in self.codes.split()]


_ROWS = (
    # --- The request as a whole
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
    # --- The body
    Problem(
        "parse_error json_invalid json_encoding json_bom json_number json_duplicate_key json_nul"
        " json_surrogate json_too_deep json_too_many_keys json_too_many_values",
        "The body is not JSON that can be kept",
        "Not well-formed, not UTF-8, or it has what JSON or the database cannot hold: NaN,"
        " infinity, whole numbers beyond 64 bits, the same key twice, U+0000, half a surrogate"
        " pair, more than 64 levels, more than 10 000 keys, objects or arrays.",
        '{"name": "a", "name": "b"}',
        "The detail says what and where. Let a JSON library write the body.",
    ),
    Problem(
        "invalid validation_failed type required null blank empty max_length min_length max_value"
        " min_value not_a_list invalid_choice control_characters surrounding_blank duplicate"
        " conflicting_fields queue_unknown slug_invalid instant_invalid instant_past too_many"
        " limit_unknown not_a_dict number_too_large max_string_length null_characters_not_allowed",
        "Not valid",
        "One or more values are not what this address takes. `errors` names every one of them"
        " with its place, the reason and, where there is one, a hint.",
        '{"name": ""}',
        "Mend what `errors` lists. Nothing was stored.",
    ),
    Problem(
        "unknown_field read_only_field",
        "A field that cannot be set",
        "A field that Chronos does not know, or decides itself. It is never ignored: what you"
        " meant by it would silently not happen.",
        '{"nmae": "Daily report"}',
        "The hint has the nearest known name. Leave the field out if you do not mean it.",
    ),
    Problem(
        "unknown_parameter",
        "A query parameter that nobody reads",
        "The address does not know this parameter. It is never ignored: a misspelt filter would"
        " show everything.",
        "GET /api/v1/jobs?stauts=active",
        "The hint has the nearest known name.",
    ),
    Problem(
        "page_invalid limit_invalid page_too_deep count_invalid",
        "No such page",
        "Pages count from 1, have 1 to 100 rows, and go 10 000 rows deep.",
        "GET /api/v1/jobs?limit=1000000",
        "Ask for smaller pages; instead of going deeper, narrow the list with filters.",
    ),
    Problem(
        "schedule.*",
        "The schedule makes no sense",
        "The expression, the interval, the zone or the instant cannot be read, or never comes.",
        '{"schedule": {"type": "cron", "cron": "61 * * * *"}}',
        "POST /api/v1/schedules/preview shows what a schedule means without saving anything.",
    ),
    Problem(
        "retry.*",
        "The retry policy makes no sense",
        "The numbers contradict each other or are out of range, or a field belongs to another"
        " strategy.",
        '{"retry": {"base_seconds": 60, "max_seconds": 5}}',
        "Let max_seconds be at least base_seconds; only a ladder has delays_seconds, and it has"
        " neither of the two.",
    ),
    Problem(
        "limit.*",
        "The limit makes no sense",
        "It limits nothing, its rate has no time, or it counts by a field that no payload of the"
        " job has.",
        '{"name": "partner", "rate": 10}',
        "Give a limit concurrency, or rate and per_seconds, or all three.",
    ),
    Problem(
        "limit_in_use",
        "Jobs name this limit",
        "A limit goes when no job that is kept names it any more.",
        "DELETE /api/v1/limits/partner-api while a job has it in its policy",
        "Take it out of the jobs, with PATCH and `policy.limit` null, and delete it then.",
    ),
    Problem(
        "target_forbidden",
        "Target not allowed",
        "HTTP jobs do not call private, local or metadata addresses, other schemes than http"
        " and https, or URLs with a password, and do not set headers that are Chronos' own.",
        '{"payload": {"url": "http://169.254.169.254/"}}',
        "Call a public address, or have the network listed in CHRONOS_HTTP_ALLOW_PRIVATE.",
    ),
    Problem(
        "unknown_function bad_arguments kind_disabled unknown_failure",
        "The job cannot be run like this",
        "The kind is switched off here, the function is not registered, or it does not take"
        " these arguments.",
        '{"kind": "python", "payload": {"function": "os.system"}}',
        "GET /info lists the kinds. Functions are registered by whoever runs Chronos.",
    ),
    Problem(
        "unstorable",
        "A value that cannot be stored",
        "A value is outside of what the database can hold.",
        "A year beyond 9999",
        "Send a smaller value.",
    ),
    # --- People
    Problem(
        "not_authenticated",
        "Not signed in",
        "The address needs to know who you are.",
        "GET /api/v1/jobs without an Authorization header",
        "POST /api/v1/auth/login, then send Authorization: Bearer with the access token.",
    ),
    Problem(
        "token_invalid authentication_failed",
        "The token is not good",
        "It has expired, was signed out, was refreshed already, or was never good. Which of these"
        " is not told.",
        "Authorization: Bearer eyJ…",
        "Refresh with the newest refresh token, or sign in again.",
    ),
    Problem(
        "credentials_invalid",
        "Sign-in failed",
        "The e-mail address or the password is wrong, or the account is switched off.",
        '{"email": "ada@example.org", "password": "wrong"}',
        "Check both. An administrator can set a new password.",
    ),
    Problem(
        "registration_closed",
        "Registration is closed",
        "Here, administrators make the accounts.",
        "POST /api/v1/auth/register",
        "Ask an administrator, or set CHRONOS_REGISTRATION=open if you are one.",
    ),
    Problem(
        "email_taken password_too_short password_too_common password_entirely_numeric"
        " password_too_similar",
        "This account cannot be made",
        "There is an account with this address, or the password is too easy to guess.",
        '{"email": "ada@example.org", "password": "password"}',
        "Sign in instead, or choose a longer password.",
    ),
    Problem(
        "permission_denied role_too_low no_team",
        "Not allowed",
        "You are signed in, but your role in the team does not include this.",
        "A viewer who wants to run a job",
        "Ask an administrator of the team for a higher role.",
    ),
    Problem(
        "throttled",
        "Too many requests",
        "You sent more requests than the limit allows.",
        "The 11th wrong password in a quarter of an hour",
        "Wait as long as Retry-After says.",
    ),
    # --- State
    Problem(
        "execution_moved execution_state not_dead",
        "The execution is somewhere else by now",
        "What you asked for does not fit the state of the execution, often because a worker or"
        " somebody else was faster. `current_status` is what it is now.",
        "Cancelling an execution that has just succeeded",
        "Look at it again; `allowed_actions` lists what is possible now.",
    ),
    Problem(
        "redrive_running",
        "The group is being redriven",
        "A redrive of these dead letters runs already; two would get into each other's way.",
        "POST /api/v1/failures/…/redrive twice",
        "Wait for it, or stop it: the cause names its newest redrive.",
    ),
    Problem(
        "job_paused job_archived restore_expired",
        "The job's state does not allow this",
        "A paused job is not started; an archived one is only restored, and only for 30 days.",
        "POST /api/v1/jobs/daily-report/execute while the job is paused",
        "`allowed_actions` lists what is possible: for a paused job, resume it first.",
    ),
    Problem(
        "slug_taken limit_taken queue_taken conflict",
        "There is one already",
        "Something with this name exists, or was made by somebody else at the same moment.",
        "Two jobs with the slug daily-report",
        "Choose another name, or change the one that exists.",
    ),
    Problem(
        "idempotency_key_invalid idempotency_key_reused idempotency_key_running",
        "The Idempotency-Key does not fit",
        "A key stands for one POST of yours to one address for 24 hours, whatever becomes of the"
        " connection. It is 1 to 255 printable ASCII characters, says the same each time, and"
        " is answered once its first call has ended.",
        "Two different jobs created with the Idempotency-Key 1",
        "Make a new UUID for each new request, and send it again only with the same body. While"
        " the first call runs, wait as long as Retry-After says.",
    ),
    # --- Ours
    Problem(
        "database_unavailable flower_unavailable broker_unavailable",
        "A part of Chronos is away",
        "The database or the broker does not answer. `component` says which.",
        "A database that is being restarted",
        "Send the request again after Retry-After. /health shows the state of every part.",
    ),
    Problem(
        "internal_error",
        "A fault of ours",
        "Something happened that nobody thought of. It is in the log under the request id.",
        "A defect in Chronos",
        "Send the request again; if it stays, report it together with the request id.",
    ),
)

PROBLEMS: dict[str, Problem] = {code: row for row in _ROWS for code in row.codes.split()}


def problem_of(code: str) -> Problem | None:
    """Return the row of ``code``, by itself or by its family, or ``None``."""
    return PROBLEMS.get(code) or PROBLEMS.get(f"{code.partition('.')[0]}.*")
