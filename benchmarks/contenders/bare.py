"""What an API can be at best here: one insert, behind the server that Chronos runs behind."""

from __future__ import annotations

import sys
from dataclasses import replace

from benchmarks.contenders import chronos
from benchmarks.contenders.contender import Command, Contender
from benchmarks.environments import OWN

APP = "benchmarks.apps.bare"
SERVED = "chronos_project.asgi:application"

DRF = Contender(
    name="drf",
    title="bare DRF insert",
    layout="1 uvicorn process, a CreateAPIView, no authentication",
    group=OWN,
    client=Command((sys.executable, "-m", "benchmarks.apps.client", APP)),
    web=Command(
        tuple(
            f"{APP}:application" if word == SERVED else word
            for word in chronos.command("web", port="{port}").argv
        )
    ),
    env={"BENCH_VIEW": "/drf", "BENCH_POOL": "16"},
)
PLAIN = replace(
    DRF,
    name="django",
    title="bare Django insert",
    layout="1 uvicorn process, a function",
    env={**DRF.env, "BENCH_VIEW": "/plain"},
)
