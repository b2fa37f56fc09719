"""`python -m embedded up`, `check`, or `run ARGUMENTS`: Python beside the running parts."""

from __future__ import annotations

import os
import sys

from embedded import config as configuration
from embedded.errors import StartError, one_sentence
from embedded.lock import Lock


def main(words: list[str]) -> None:
    with one_sentence():
        match words:
            case ["check"]:
                from embedded import check  # noqa: PLC0415  each command loads its own

                check.check(configuration.read())
            case ["up"]:
                from embedded import up  # noqa: PLC0415  needs what was installed

                up.up(configuration.read())
            case ["run", *arguments] if arguments:
                run(arguments)
            case _:
                raise StartError("say up, check, or run followed by arguments for python.")


def run(arguments: list[str]) -> None:
    """Become ``python ARGUMENTS`` with the environment that the parts have."""
    config = configuration.read()
    path = config.data_dir / "env"
    if not path.exists():
        raise StartError(f"Chronos was never started on {config.data_dir}: run `make up` first.")
    if not config.database_url and not Lock(config.data_dir).held():
        raise StartError("Chronos does not run: start it with `make up` in another terminal.")
    environment = dict(config.environment) | configuration.dotenv(path)
    os.execve(sys.executable, [sys.executable, *arguments], environment)  # noqa: S606  no shell is wanted


if __name__ == "__main__":
    main(sys.argv[1:])
