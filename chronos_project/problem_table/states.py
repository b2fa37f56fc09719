"""What does not fit the state that something is in."""

from __future__ import annotations

from chronos_project.problem_table.row import Problem

STATES = (
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
        "last_admin service_not_admin team_personal team_in_use already_member",
        "The team cannot be changed like that",
        "A team keeps an admin, who is a person; a personal team keeps its person; a team with jobs"
        " or their history stays. Nobody is asked to join where they are.",
        "Removing the only admin",
        "Make somebody else admin first; archive the jobs instead of deleting the team.",
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
)
