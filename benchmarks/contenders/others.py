"""The other Python platforms, at their defaults but for the layout."""

from __future__ import annotations

from psycopg import sql

from benchmarks.contenders.contender import Command, Contender

APPS = "benchmarks.apps"
SETTINGS = {"DJANGO_SETTINGS_MODULE": f"{APPS}.settings"}
MIGRATE = Command(("{bin}/django-admin", "migrate", "--no-input", "-v", "0"))


def client(module: str) -> Command:
    return Command(("{bin}/python", "-m", f"{APPS}.client", f"{APPS}.{module}"))


PROCRASTINATE = Contender(
    name="procrastinate",
    title="procrastinate",
    layout="2 processes, concurrency 1",
    group="misc",
    client=client("procrastinate_app"),
    worker=Command(
        ("{bin}/procrastinate", f"--app={APPS}.procrastinate_app.app", "worker", "-c", "{slots}")
    ),
    workers=2,
    slots=1,
    prepare=(
        Command(
            ("{bin}/python", "-c", f"from {APPS} import procrastinate_app as app; app.prepare()")
        ),
    ),
    schema="procrastinate",
    settled=sql.SQL("SELECT count(*) FROM procrastinate_jobs WHERE status = 'succeeded'"),
    left_running=sql.SQL("SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'"),
    history="a row, and an event for each change",
    best={"BENCH_BEST": "1"},
)
Q2 = Contender(
    name="django-q2",
    title="django-q2",
    layout="1 cluster, 2 workers, Redis broker, results in SQL",
    group="tasks",
    client=client("q2_app"),
    worker=Command(("{bin}/django-admin", "qcluster")),
    prepare=(MIGRATE,),
    schema="django-q2",
    settled=sql.SQL("SELECT count(*) FROM django_q_task"),
    history="one row, inserted at the end",
    env={"BENCH_APPS": "django_q", **SETTINGS},
)
TASKS = Contender(
    name="django-tasks",
    title="django-tasks-db",
    layout="2 worker processes",
    group="tasks",
    client=client("tasks_app"),
    worker=Command(("{bin}/django-admin", "db_worker", "-v", "0")),
    workers=2,
    slots=1,
    prepare=(MIGRATE,),
    schema="django-tasks",
    settled=sql.SQL(
        "SELECT count(*) FROM django_tasks_database_dbtaskresult WHERE status = 'SUCCESSFUL'"
    ),
    history="one row: insert, 2 updates",
    env={"BENCH_APPS": "django_tasks,django_tasks_db", **SETTINGS},
)
HUEY = Contender(
    name="huey",
    title="huey",
    layout="1 consumer, 2 worker processes",
    group="misc",
    client=client("huey_app"),
    worker=Command(
        ("{bin}/huey_consumer", f"{APPS}.huey_app.huey", "-w", "{slots}", "-k", "process", "-q")
    ),
)
RQ = Contender(
    name="rq",
    title="rq",
    layout="2 workers, a fork for each job",
    group="misc",
    client=client("rq_app"),
    worker=Command(("{bin}/rq", "worker", "-u", "{redis}", "--quiet", "--with-scheduler", "bench")),
    workers=2,
    slots=1,
)
TASKIQ = Contender(
    name="taskiq",
    title="taskiq",
    layout="1 launcher, 2 processes, Redis streams",
    group="misc",
    client=client("taskiq_app"),
    worker=Command(
        (
            *("{bin}/taskiq", "worker", "-w", "{slots}", "--log-level", "WARNING"),
            f"{APPS}.taskiq_app:broker",
        )
    ),
    beat=Command(
        (
            *("{bin}/taskiq", "scheduler", "--log-level", "WARNING", "--update-interval", "1"),
            f"{APPS}.taskiq_app:scheduler",
        )
    ),
    ticks=True,
    best={"BENCH_BEST": "1"},
)
APSCHEDULER = Contender(
    name="apscheduler",
    title="APScheduler",
    layout="1 process, 10 threads, jobs in PostgreSQL",
    group="misc",
    client=client("apscheduler_app"),
    ticks=True,
    scaler=Command(("{bin}/python", "-m", f"{APPS}.apscheduler_app")),
)
