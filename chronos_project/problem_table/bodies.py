"""What is wrong with what a request says."""

from __future__ import annotations

from chronos_project.problem_table.row import Problem

BODIES = (
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
        " limit_unknown not_a_dict number_too_large max_string_length null_characters_not_allowed"
        " scope_too_wide user_unknown team_invalid invitation_invalid",
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
)
