"""The first step of `make`: names an old Python, prepares `.venv`, runs a command in it."""
# ruff: noqa: I002  a Python too old for that import must get as far as being named

import os
import shutil
import subprocess
import sys

OLDEST = (3, 11)
NEWER = ["python3.14", "python3.13", "python3.12", "python3.11"]


def main() -> None:
    """``FILES -- ARGUMENTS``: install the requirement FILES, then run `python ARGUMENTS`.

    Without FILES the command runs with this Python and nothing is installed.
    """
    if sys.version_info < OLDEST:
        use_a_newer_python()
    from embedded import install  # noqa: PLC0415  an old Python cannot parse it

    install.main(sys.argv[1:])


def use_a_newer_python() -> None:
    """Become a newer Python of this machine, or say what to do."""
    for name in NEWER:
        path = shutil.which(name)
        if path and subprocess.call([path, "-c", ""], stderr=subprocess.DEVNULL) == 0:  # noqa: S603  a fixed list
            os.execv(path, [path, "-m", "embedded.bootstrap"] + sys.argv[1:])  # noqa: S606, RUF005  old syntax
    found = ".".join(str(number) for number in sys.version_info[:3])
    sys.exit(
        "Chronos needs Python 3.11 or newer, and %s is Python %s: install a newer one and name it, "  # noqa: UP031
        "for example: make up PYTHON=/usr/bin/python3.12" % (sys.executable, found)
    )


if __name__ == "__main__":
    main()
