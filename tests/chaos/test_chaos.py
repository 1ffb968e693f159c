# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Parts of a hub are killed while users work, as a seed decides: nobody loses a line or a variable.

CHAOS_SEEDS="1 2 3" runs these sequences, one after the other; CHAOS_USERS says how many work meanwhile.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import time
import typing as t
from pathlib import Path

import pytest
import requests
from deployment import ARTIFACTS, wait_until
from kill import descendants
from machine import Machine
from worker import Worker

pytestmark = pytest.mark.slow

SEEDS = [int(word) for word in os.environ.get("CHAOS_SEEDS", "1").split()]
USERS = int(os.environ.get("CHAOS_USERS", "6"))
STEPS = 8
# Seconds until all work again; after a boot the servers are started anew.
PATIENCE = 180
# Where nobody's server is gone, seconds until all routes lead to them again: two, on a quiet machine.
HEALED = {"kill hub": 10, "kill proxy": 10, "kill edge": 10, "kill broker": 10}


def kill_part(part: str) -> t.Callable[[Machine, random.Random, list[Worker]], None]:
    # Not docker kill: an engine takes that for what somebody wanted.
    return lambda machine, _chance, _workers: (machine.sh(f"kill -KILL {machine.pid(f'hub-{part}')}"), None)[
        1
    ]


def kill_engine(machine: Machine, _chance: random.Random, _workers: list[Worker]) -> None:
    machine.sh("systemctl kill --signal=KILL docker.service")
    machine.wait()


def kill_server(machine: Machine, chance: random.Random, workers: list[Worker]) -> None:
    victim = chance.choice(workers)
    victim.may_lose = True
    machine.sh(f"kill -KILL {machine.pid(machine.user_container(victim.name))}")


def kill_site(machine: Machine, chance: random.Random, _workers: list[Worker]) -> None:
    argv, env = machine.command("site")
    with subprocess.Popen(
        argv, env=env, cwd=machine.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as run:
        time.sleep(chance.uniform(3, 40))
        for pid in [*descendants(run.pid), run.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def restart_unit(machine: Machine, _chance: random.Random, _workers: list[Worker]) -> None:
    machine.sh("systemctl restart hub.service")


def restart_engine(machine: Machine, _chance: random.Random, _workers: list[Worker]) -> None:
    machine.sh("systemctl restart docker.service")


def lose_power(machine: Machine, _chance: random.Random, workers: list[Worker]) -> None:
    for worker in workers:
        worker.may_lose = True
    machine.reboot(hard=True)


def fill_disk(machine: Machine, chance: random.Random, _workers: list[Worker]) -> None:
    machine.sh("fallocate --length=$(($(stat --file-system --format '%a * %S' /srv))) /srv/fill || :; sync")
    time.sleep(chance.uniform(5, 15))
    machine.sh("rm /srv/fill")


def cut_network(machine: Machine, chance: random.Random, _workers: list[Worker]) -> None:
    machine.sh("iptables --table raw --insert PREROUTING --in-interface eth0 --jump DROP")
    time.sleep(chance.uniform(3, 15))
    machine.sh("iptables --table raw --delete PREROUTING --in-interface eth0 --jump DROP")


ACTIONS: dict[str, t.Callable[[Machine, random.Random, list[Worker]], None]] = {
    **{f"kill {part}": kill_part(part) for part in ("hub", "proxy", "edge", "broker", "disk")},
    "kill engine": kill_engine,
    "kill server": kill_server,
    "kill site.yml": kill_site,
    "restart unit": restart_unit,
    "restart engine": restart_engine,
    "lose power": lose_power,
    "fill disk": fill_disk,
    "cut network": cut_network,
}


def all_work(workers: list[Worker], since: float, patience: float) -> float:
    """Seconds until everybody has written a line after this moment."""
    while waiting := [one for one in workers if one.last < since]:
        assert time.monotonic() - since < patience, (
            f"{[(one.name, one.trouble) for one in waiting]} do not work"
        )
        time.sleep(0.05)
    return max(one.last for one in workers) - since


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost(machine: Machine, seed: int) -> None:
    chance = random.Random(seed)
    steps = chance.sample(sorted(ACTIONS), STEPS)
    workers = [Worker(machine.url, machine.token, f"user{seed}x{number}") for number in range(USERS)]
    for worker in workers:
        worker.start()
    began, times, number = time.monotonic(), [], 0
    try:
        all_work(workers, began, 300)
        before = machine.state()
        for number, name in enumerate(steps, 1):
            own = random.Random(f"{seed} {number}")
            start = time.monotonic()
            ACTIONS[name](machine, own, workers)
            ended = time.monotonic()
            back = all_work(workers, ended, HEALED.get(name, PATIENCE))
            times.append(
                {"step": number, "action": name, "took": round(ended - start, 1), "back": round(back, 1)}
            )
            print(times[-1], flush=True)
            for worker in workers:
                worker.may_lose = False
            wrong = [one for worker in workers for one in worker.wrong]
            assert not wrong, wrong
            time.sleep(own.uniform(0, 3))
    except AssertionError as exc:
        raise AssertionError(f"seed {seed}, step {number} ({steps[number - 1]}) of {steps}: {exc}") from exc
    finally:
        for worker in workers:
            worker.end()
        ARTIFACTS.mkdir(exist_ok=True)
        Path(ARTIFACTS, f"chaos-{seed}.json").write_text(json.dumps(times, indent=1))
    # Whoever has a kernel works on before a killed hub is there again.
    wait_until(lambda: requests.get(f"{machine.url}/hub/health", timeout=10).ok, 60, "the hub")
    for worker in workers:
        lines = machine.sh(f"cat {machine.home(worker.name)}/lines").splitlines()
        assert len(lines) >= worker.lines > 0, f"seed {seed}: {worker.name}"
        assert lines == [f"{place} {worker.secret}" for place in range(1, len(lines) + 1)], (
            f"seed {seed}: {worker.name}"
        )
        worker.user.stop()
    print(f"seed {seed}: {sum(worker.lines for worker in workers)} lines of {USERS} users", flush=True)
    assert machine.state() == before, f"seed {seed}: {steps}"
    machine.run("site", name=f"chaos-again-{seed}").assert_unchanged()
