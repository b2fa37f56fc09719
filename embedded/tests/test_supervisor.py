"""Parts that die come back; everything stops in order; nothing is left, whatever happens."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time

from embedded.tests.conftest import ROOT, Stage, eventually

WAITS = """
    def end(*_):
        note("end {name}")
        sys.exit()
    signal.signal(signal.SIGTERM, end)
    note("begin {name}")
    while True:
        time.sleep(60)
"""


def waits(name: str) -> str:
    """A part that notes its start and its orderly end."""
    return WAITS.format(name=name)


def test_a_part_that_dies_starts_again_later_each_time_and_it_is_said(stage: Stage) -> None:
    stage.act("flaky", 'note(f"{time.time():.2f}"); sys.exit(3)')
    stage.act("steady", waits("steady"))
    stage.start()

    eventually(lambda: len([note for note in stage.notes if note[0].isdigit()]) >= 3)

    first, second, third = [float(note) for note in stage.notes if note[0].isdigit()][:3]
    assert 1.0 <= second - first < 2.0
    assert 2.0 <= third - second < 4.0
    assert "flaky ended with status 3; it starts again in 1 s" in stage.text
    assert "flaky ended with status 3; it starts again in 2 s" in stage.text
    assert stage.notes.count("begin steady") == 1


def test_a_killed_part_comes_back_and_its_descendants_do_not_stay(stage: Stage) -> None:
    body = 'subprocess.Popen(["sleep", "600"]); note("begin"); time.sleep(600)'
    stage.act("parent", body)
    stage.start()
    eventually(lambda: stage.notes == ["begin"])
    before = set(stage.processes())

    os.kill(stage.pid("parent"), signal.SIGKILL)

    eventually(lambda: stage.notes == ["begin", "begin"])
    assert not before & set(stage.processes())
    assert "parent was killed by SIGKILL" in stage.text


def test_sigterm_stops_from_the_highest_tier_down_and_leaves_nothing(stage: Stage) -> None:
    stage.act("server", waits("server"), tier="SERVER")
    stage.act("web", waits("web"), tier="WEB")
    stage.act("worker", waits("worker"), tier="WORKER")
    stage.act("clock", waits("clock"), tier="CLOCK")
    supervisor = stage.start()
    eventually(lambda: len(stage.notes) == 4)

    supervisor.terminate()

    assert supervisor.wait(timeout=20) == 0
    assert stage.notes[4:] == ["end clock", "end worker", "end web", "end server"]
    assert stage.processes() == []


def test_a_part_that_will_not_stop_is_forced_with_all_its_descendants(stage: Stage) -> None:
    body = """
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        subprocess.Popen(["sleep", "600"])
        note("begin")
        while True:
            time.sleep(60)
    """
    stage.act("stubborn", body, grace=0.5)
    supervisor = stage.start()
    eventually(lambda: stage.notes)

    supervisor.terminate()

    assert supervisor.wait(timeout=20) == 0
    assert "stubborn was forced to stop" in stage.text
    assert stage.processes() == []


def test_a_second_signal_takes_the_time_away(stage: Stage) -> None:
    body = """
        signal.signal(signal.SIGTERM, lambda *_: note("asked"))
        note("begin")
        while True:
            time.sleep(60)
    """
    stage.act("slow", body, grace=60)
    supervisor = stage.start()
    eventually(lambda: stage.notes)
    began = time.monotonic()

    supervisor.send_signal(signal.SIGINT)
    eventually(lambda: "asked" in stage.notes)
    supervisor.send_signal(signal.SIGINT)

    assert supervisor.wait(timeout=20) == 0
    assert time.monotonic() - began < 10
    assert stage.processes() == []


def test_a_killed_supervisor_leaves_nothing_and_a_new_start_works(stage: Stage) -> None:
    slow_end = """
        def end(*_):
            time.sleep(0.5)
            note("end worker")
            sys.exit()
        signal.signal(signal.SIGTERM, end)
        note("begin worker")
        while True:
            time.sleep(60)
    """
    stage.act("server", waits("server"), tier="SERVER")
    stage.act("worker", slow_end, tier="WORKER")
    first = stage.start()
    eventually(lambda: len(stage.notes) == 2)

    first.kill()
    first.wait()
    stage.start()  # at once: it waits until the watchdog is done

    eventually(lambda: len(stage.notes) == 6)
    assert stage.notes[2:4] == ["end worker", "end server"]
    assert sorted(stage.notes[4:]) == ["begin server", "begin worker"]
    assert "the supervisor is gone; stopping what it left" in stage.text
    assert "the previous start is still being stopped; waiting for it" in stage.text
    assert len(stage.processes()) == 2


def test_what_a_killed_supervisor_and_watchdog_left_is_stopped_by_the_next_start(
    stage: Stage,
) -> None:
    stage.act("server", waits("server"), tier="SERVER")
    supervisor = stage.start()
    eventually(lambda: stage.notes == ["begin server"])
    before = stage.pid("server")

    os.kill(stage.watchdog(), signal.SIGSTOP)  # or it would be faster than us
    supervisor.kill()
    supervisor.wait()
    os.kill(stage.watchdog(), signal.SIGKILL)
    stage.start()

    eventually(lambda: stage.notes == ["begin server", "end server", "begin server"])
    assert stage.pid("server") != before


def test_a_watchdog_that_dies_is_replaced(stage: Stage) -> None:
    stage.act("server", waits("server"), tier="SERVER")
    supervisor = stage.start()
    eventually(lambda: stage.notes == ["begin server"])
    first = stage.watchdog()

    os.kill(first, signal.SIGKILL)
    eventually(lambda: stage.watchdog() not in (0, first))
    supervisor.kill()

    eventually(lambda: stage.notes == ["begin server", "end server"])
    eventually(lambda: stage.processes() == [])


def test_everything_stops_when_nobody_reads_any_more(stage: Stage) -> None:
    stage.act("server", waits("server"))
    stage.act("talker", "while True: print('...', flush=True); time.sleep(0.05)")
    read, write = os.pipe()
    supervisor = stage.launch(output=write)
    os.close(write)
    eventually(lambda: stage.notes == ["begin server"])

    os.close(read)

    assert supervisor.wait(timeout=20) == 0
    assert stage.notes == ["begin server", "end server"]
    assert stage.processes() == []


def test_everything_stops_when_the_make_that_started_it_is_killed(stage: Stage) -> None:
    stage.act("server", waits("server"))
    (stage.directory / "Makefile").write_text(f"up:\n\t@{shlex.join(stage.command())}\n")
    make = subprocess.Popen(  # noqa: S603  our own Makefile
        ["/usr/bin/env", "make", "-f", stage.directory / "Makefile"], cwd=ROOT
    )
    eventually(lambda: stage.notes == ["begin server"])

    make.kill()
    make.wait()

    eventually(lambda: stage.notes == ["begin server", "end server"])
    eventually(lambda: stage.processes() == [])


def test_a_second_start_on_one_directory_is_refused_in_one_sentence(stage: Stage) -> None:
    stage.act("server", waits("server"), tier="SERVER")
    first = stage.start()

    second = stage.launch()

    assert second.wait(timeout=20) == 1
    last = stage.text.splitlines()[-1]
    assert last.startswith(
        f"chronos: Chronos already runs on this data directory (process {first.pid}): stop it there"
    )
