# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The software stacks in a user's container: their trees, kernels and commands, and the welcome notebooks.

Where the images are not there yet they are built (minutes); how long that took is printed.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import time
import typing as t
from pathlib import Path

import pytest
import yaml
from confined import confined
from engine import ROOT, ModuleRunner, docker

# What of them every change of the hub may break, the tests of the whole site run: Python's notebook.
pytestmark = pytest.mark.slow

CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
STACKS = ("python-science", "r", "spark-scala")
# All of them include this one.
TREES = (*STACKS, "terminal")
# What lies outside of an image's own folder (__images_files of the role images).
FILES = {"spark-scala": [{"src": str(ROOT / "files/scala-kernel"), "dest": "scala-kernel"}]}
NOTEBOOKS = sorted(
    path for stack in STACKS for path in (ROOT / "files" / "notebooks" / stack).glob("*.ipynb")
)
# What each notebook shows when its numbers are right.
SHOWN = {
    "Welcome": "distance ** 1.50",
    "Welcome to R": "distance ^ 1.50",
    "Welcome to PySpark": "nine: 0.116",
    "Welcome to Scala": "10: 0.125",
}
# MiB of a tree, and files: a package that has come by accident shows here.
LIMITS = {
    "python-science": (1500, 35_000),
    "r": (300, 6_000),
    "spark-scala": (1100, 17_000),
    "terminal": (400, 6_000),
}
MOMENT = 1767225600

# Runs cells in a kernel, inside the container: what came out of each, and how long it took.
CELLS = """
import json, sys, threading, time
from jupyter_client.manager import KernelManager

name, cells = json.loads(sys.argv[1])
began = time.monotonic()
manager = KernelManager(kernel_name=name)
manager.start_kernel()
client = manager.client()
client.start_channels()
client.wait_for_ready(timeout=60)
results = [{"ready": time.monotonic() - began}]
for code, interrupt in cells:
    result = {"out": "", "shown": [], "error": None}
    def hook(message):
        content = message["content"]
        if message["msg_type"] == "stream":
            result["out"] += content["text"]
        elif message["msg_type"] == "error":
            result["error"] = [content["ename"], content["evalue"], "\\n".join(content["traceback"])]
        elif "data" in content:
            result["shown"].append(content["data"])
    began = time.monotonic()
    if code.startswith("complete:"):
        client.complete(code.removeprefix("complete:"))
        result.update(client.get_shell_msg(timeout=60)["content"])
    else:
        if interrupt:
            threading.Timer(interrupt, manager.interrupt_kernel).start()
        try:
            reply = client.execute_interactive(code, output_hook=hook, timeout=120)
            result["status"] = reply["content"]["status"]
        except TimeoutError:
            print(f"{name}: no end of {code}", result, file=sys.stderr)
            raise
    result["time"] = time.monotonic() - began
    results.append(result)
manager.shutdown_kernel()
print("RESULTS" + json.dumps(results))
"""
# Addresses that somebody listens at: hexadecimal, in the kernel's table of sockets.
LISTENING = """
addresses = set()
for table in ("/proc/net/tcp", "/proc/net/tcp6"):
    with open(table) as lines:
        addresses |= {line.split()[1].split(":")[0] for line in list(lines)[1:] if line.split()[3] == "0A"}
loopback = {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}
print("LISTENING", sorted(addresses - loopback))
"""


class Stack:
    """One stack's volume in containers of the notebook image, confined as behind the hub, with no network."""

    def __init__(self, name: str, image: str, volume: str, notebook: str, container: str) -> None:
        self.name, self.image, self.volume, self.notebook = name, image, volume, notebook
        self.container = container

    def run(self, *command: str, options: t.Sequence[str] = (), timeout: int = 300) -> str:
        argv = [
            *("docker", "run", "--rm", f"--name={self.container}", "--network=none", *confined()),
            *("--volume=/home/jovyan", f"--volume={self.volume}:/opt/software:ro,nocopy"),
            *(*options, self.notebook, *command),
        ]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=timeout)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout.strip()

    def sh(self, script: str, options: t.Sequence[str] = ()) -> str:
        return self.run("bash", "-lc", script, options=options)

    def cells(
        self, kernel: str, *cells: str | tuple[str, float], options: t.Sequence[str] = ()
    ) -> list[dict[str, t.Any]]:
        pairs = [(cell, 0) if isinstance(cell, str) else cell for cell in cells]
        said = self.run("/opt/notebook/bin/python", "-c", CELLS, json.dumps([kernel, pairs]), options=options)
        return list(json.loads(said.rpartition("RESULTS")[2]))

    def observe(self, *command: str) -> str:
        """What a command says about the tree in the image, which has nothing but the stack's own."""
        return docker("run", "--rm", f"--name={self.container}", "--network=none", self.image, *command)

    def files(self) -> dict[str, tuple[str, int]]:
        """Every path of the tree with its kind and time."""
        listing = self.observe("find", "/opt/software", "-mindepth", "1", "-printf", r"%y %m\t%T@\t%P\n")
        rows = (line.split("\t") for line in listing.splitlines())
        return {path: (kind, int(float(when))) for kind, when, path in rows}


@pytest.fixture(scope="module")
def stacks(
    run_module: ModuleRunner,
    refs: dict[str, t.Any],
    tmp_path_factory: pytest.TempPathFactory,
    prefix: str,
    request: pytest.FixtureRequest,
) -> dict[str, Stack]:
    """The stacks as the role makes them. Images and volumes are shared with everything on this machine."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    logs = str(tmp_path_factory.mktemp("logs"))
    secrets = {"ca": str(CA_BUNDLE)} if CA_BUNDLE.exists() else {}
    found = {}
    for name in TREES:
        began = time.monotonic()
        context = str(ROOT / "files" / "images" / name)
        image = run_module(
            "image",
            name=name,
            path=context,
            files=FILES.get(name, []),
            parent=refs["base"],
            secrets=secrets,
            log_dir=logs,
        )
        assert not image["failed"], image
        built = time.monotonic() - began
        ref = str(image["image"]["ref"])
        volume = run_module("software_volume", prefix=f"galilean-software-{name}", image=ref, log_dir=logs)
        assert not volume["failed"], volume
        where = str(volume["volume"]["name"])
        found[name] = Stack(name, ref, where, str(refs["notebook"]), f"{prefix}-{name}")
        seeded = time.monotonic() - began - built
        with capture.global_and_fixture_disabled():
            print(f"\n{name}: image {built:.0f} s, volume {seeded:.0f} s")
    return found


@pytest.fixture
def home(prefix: str, request: pytest.FixtureRequest) -> t.Iterator[str]:
    """The option that mounts a home of its own."""
    name = f"{prefix}-{request.node.name.removeprefix('test_').replace('_', '-')}"
    yield f"--volume={name}:/home/jovyan"
    docker("volume", "rm", "--force", name, check=False)


def test_no_file_is_in_two_stacks(stacks: dict[str, Stack]) -> None:
    """So one image may hold all of them, in any order."""
    trees = {name: stack.files() for name, stack in stacks.items()}
    for one, other in itertools.combinations(trees, 2):
        common = trees[one].keys() & trees[other].keys()
        # Folders may be shared, when they are the same.
        differing = {
            path for path in common if trees[one][path][0] != "d 755" or trees[other][path][0] != "d 755"
        }
        assert not differing, (one, other, sorted(differing)[:10])


@pytest.mark.parametrize("name", TREES)
def test_tree(stacks: dict[str, Stack], name: str) -> None:
    tree = stacks[name].files()
    assert {when for _kind, when in tree.values()} == {MOMENT}
    dangling = stacks[name].observe("find", "/opt/software", "-xtype", "l")
    assert not dangling, dangling[:1000]
    writable = stacks[name].observe("find", "/opt/software", "-perm", "/022", "-not", "-type", "l")
    assert not writable, writable[:1000]
    size = int(stacks[name].observe("du", "-sm", "/opt/software").split()[0])
    files = sum(kind.startswith("f") for kind, _when in tree.values())
    assert size < LIMITS[name][0], size
    assert files < LIMITS[name][1], files
    # Nothing is left to compile, which nobody could save.
    sources = {path for path in tree if path.endswith(".py") and "/site-library/" not in path}
    compiled = {path for path in tree if path.endswith(".cpython-313.pyc")}
    assert len(compiled) >= 0.95 * len(sources), (len(compiled), len(sources))


def test_every_stack_has_a_notebook() -> None:
    assert {path.parent.name for path in NOTEBOOKS} == set(STACKS)
    names = [path.name for path in NOTEBOOKS]
    # All of them may come into one home.
    assert len(set(names)) == len(names)
    assert {path.stem for path in NOTEBOOKS} == set(SHOWN)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem.replace(" ", "-"))
def test_welcome_notebook_runs_top_to_bottom(
    stacks: dict[str, Stack], path: Path, record_property: t.Any
) -> None:
    stored = json.loads(path.read_text())
    code = [cell for cell in stored["cells"] if cell["cell_type"] == "code"]
    assert not any(cell["outputs"] or cell["execution_count"] for cell in code)
    began = time.monotonic()
    output = json.loads(
        stacks[path.parent.name].sh(
            f"cp '/opt/welcome/{path.name}' /tmp/in.ipynb && cd /tmp"
            " && /opt/notebook/bin/jupyter execute --output=/tmp/out.ipynb in.ipynb >&2 && cat out.ipynb",
            options=[f"--volume={path.parent}:/opt/welcome:ro"],
        )
    )
    record_property("seconds", round(time.monotonic() - began, 1))
    outputs = [out for cell in output["cells"] for out in cell.get("outputs", [])]
    assert not [out for out in outputs if out["output_type"] == "error"]
    # Nobody should see a warning in the first notebook they open.
    assert not [out for out in outputs if out.get("name") == "stderr"]
    kinds = {kind for out in outputs for kind in out.get("data", {})}
    assert kinds & {"image/png", "image/svg+xml"}
    assert SHOWN[path.stem] in "".join("".join(out.get("text", [])) for out in outputs)


def test_verify_has_code_for_every_stack(stacks: dict[str, Stack]) -> None:
    """What `make verify` runs in a user's server."""
    given = yaml.safe_load((ROOT / "roles" / "jupyterhub" / "vars" / "main.yml").read_text())
    kernels, codes = given["__jupyterhub_check_kernels"], given["__jupyterhub_check_codes"]
    assert set(kernels) == {*STACKS, "full"}
    for name in STACKS:
        _ready, result = stacks[name].cells(kernels[name], codes[kernels[name]])
        assert result["error"] is None, result
        assert "result 42" in result["out"], result


def test_commands_are_found_and_python_stays_plain(stacks: dict[str, Stack]) -> None:
    """In terminals (login shells) and elsewhere: the shared software comes last."""
    names = "python python3 pip jupyter R Rscript spark-shell spark-submit spark-sql pyspark"
    plain = ["/usr/local/bin/python", "/usr/bin/python3", "/usr/local/bin/pip", "/usr/local/bin/jupyter"]
    expected = {
        "python-science": plain,
        "terminal": plain,
        "r": [*plain, "/opt/software/bin/R", "/opt/software/bin/Rscript"],
        "spark-scala": [
            *plain,
            *(
                f"/opt/software/bin/{name}"
                for name in ("spark-shell", "spark-submit", "spark-sql", "pyspark")
            ),
        ],
    }
    for name, paths in expected.items():
        for shell in ("-c", "-lc"):
            found = stacks[name].run("bash", shell, f"for name in {names}; do command -v $name; done; true")
            assert found.split() == paths, (name, shell)


# --- Python ------------------------------------------------------------------------------------------------


def test_each_package_of_python_works_without_a_network(stacks: dict[str, Stack]) -> None:
    """A process for each of them, some of which share their memory's limit."""
    folder = ROOT / "files" / "images" / "python-science"
    said = stacks["python-science"].run(
        *("/opt/software/bin/python", "/build/smoke.py", "/build/requirements.in"),
        options=[f"--volume={folder}:/build:ro", "--memory=3g", "--memory-swap=3g"],
        timeout=900,
    )
    assert "numba" in said, said


# --- Terminal ----------------------------------------------------------------------------------------------

NAMES = (
    "curl wget zip unzip nano vim vi less man make cc gcc c++ git git-lfs ssh tmux htop xxd ar pandoc typst"
)


def test_what_a_terminal_is_expected_to_have(stacks: dict[str, Stack]) -> None:
    """In the image and beside it; a part of a Python package in C is compiled there, as pip does it."""
    tree = stacks["terminal"]
    assert tree.sh(f"for name in {NAMES}; do command -v $name >/dev/null || echo $name; done") == ""
    assert "list directory contents" in tree.sh("man ls | cat")
    # /tmp of a server runs no programs.
    tree.sh(
        "mkdir ~/scratch && TMPDIR=~/scratch sh /build/smoke.sh",
        options=[f"--volume={ROOT / 'files/images/terminal'}:/build:ro"],
    )


# --- R -----------------------------------------------------------------------------------------------------

OWN_PACKAGE = r"""
mkdir -p /tmp/own/R && cd /tmp
printf '%s\n' 'Package: own' 'Version: 1.2' 'Title: Own' 'Description: A test.' 'Author: A' \
  'Maintainer: A <a@b.c>' 'License: GPL-3' > own/DESCRIPTION
printf 'export(answer)\n' > own/NAMESPACE
printf 'answer <- function() 6 * 7\n' > own/R/answer.R
tar czf own.tar.gz own
Rscript -e 'install.packages("/tmp/own.tar.gz", repos = NULL)'
"""


def test_a_users_r_packages_stay(stacks: dict[str, Stack], home: str) -> None:
    said = stacks["r"].sh(OWN_PACKAGE, options=[home])
    assert "/home/jovyan/R/" in stacks["r"].sh("ls -d ~/R/*/*/own", options=[home]), said
    _ready, result = stacks["r"].cells("ir", "cat(own::answer(), find.package('own'))", options=[home])
    assert result["out"].startswith("42 /home/jovyan/R/"), result
    # It is the first place, also for those who start without it.
    assert "/opt/software/r/" in stacks["r"].sh("Rscript -e '.libPaths()[2]'", options=[home])


def test_r_draws_without_a_screen(stacks: dict[str, Stack]) -> None:
    _ready, png, svg, table, failed = stacks["r"].cells(
        "ir",
        "plot(1:10, main = 'Größe')",
        "options(jupyter.plot_mimetypes = 'image/svg+xml')\nggplot2::qplot(1:10, 1:10)",
        "data.frame(x = 1:2)",
        "stop('on purpose')",
    )
    assert "image/png" in png["shown"][0]
    assert "<svg" in svg["shown"][0]["image/svg+xml"]
    assert "<table" in table["shown"][0]["text/html"]
    assert "on purpose" in failed["error"][1]


LOADED = """
for (name in c("curl", "openssl", "stringi", "systemfonts", "svglite", "data.table")) loadNamespace(name)
svglite::svglite(tempfile()); plot(1); dev.off()
png(tempfile()); plot(1); dev.off()
solve(matrix(c(2, 1, 1, 3), 2))
maps <- sub("^[^/]*", "", grep("[.]so", readLines("/proc/self/maps"), value = TRUE))
cat(sort(unique(maps[!startsWith(maps, "/opt/software/")])), sep = "\n")
"""


def test_r_takes_libraries_from_its_tree_or_the_base(stacks: dict[str, Stack]) -> None:
    """The notebook image has libraries of its own, of which R must not take half."""
    script = f"cat > /tmp/loaded.R <<'END'\n{LOADED}\nEND\nRscript /tmp/loaded.R"
    outside = [line for line in stacks["r"].sh(script).splitlines() if line.startswith("/")]
    assert any("/libc.so" in path for path in outside)
    there = docker(
        "run", "--rm", stacks["r"].image, "sh", "-c", f"ls -d {' '.join(outside)} 2>/dev/null; true"
    )
    assert set(outside) == set(there.split())
    # Nothing else is started with R's libraries.
    assert stacks["r"].sh("echo [$LD_LIBRARY_PATH]") == "[]"


# --- Spark -------------------------------------------------------------------------------------------------

LIMITS_OF_SPARK = """
import subprocess
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
memory = spark.sparkContext._jvm.Runtime.getRuntime().maxMemory() >> 20
print("FOUND", spark.sparkContext.defaultParallelism, memory, spark.sparkContext.uiWebUrl)
exec(listening)
"""


def test_spark_keeps_to_the_containers_limits(stacks: dict[str, Stack]) -> None:
    code = f"listening = {LISTENING!r}\n{LIMITS_OF_SPARK}"
    options = ["--cpus=1", "--memory=1400m", "--memory-swap=1400m"]
    said = stacks["spark-scala"].run("/opt/software/spark/bin/python", "-c", code, options=options)
    _word, cores, memory, page = next(line for line in said.splitlines() if line.startswith("FOUND")).split()
    assert (cores, page) == ("1", "None")
    assert 550 < int(memory) <= 630, memory
    assert "LISTENING []" in said


def test_sparks_commands_run_in_a_terminal(stacks: dict[str, Stack]) -> None:
    said = stacks["spark-scala"].sh(
        "cd /tmp && echo 'println(spark.range(6).count() * 7)' | spark-shell 2>&1"
    )
    assert "scala> 42" in said, said


def test_scala_kernel(stacks: dict[str, Stack]) -> None:
    """All that a notebook needs of a kernel, in one JVM: starting it is what takes time."""
    results = stacks["spark-scala"].cells(
        "scala",
        'val x = 6 * 7\nprintln(s"x is $x, größer")\nConsole.err.println("to err")\nx',
        'val y: Int = "a"',
        "def half(n: Int) = n / 0\nhalf(1)",
        "val broken = (1 +",
        "// nothing to do",
        # A method may use what is defined below it, and so may a class, although classes are compiled first.
        "def f(n: Int) = n * k\nclass A { def m = helper(2) + later }\ndef helper(i: Int) = i * 2\n"
        "val later = 5\nval k = 3\nf(2) + new A().m",
        "complete:x.toBinaryS",
        ("Thread.sleep(60000)", 1.0),
        ("while (true) {}", 1.0),
        ("def loop(n: Long): Long = if (n < 0) 0 else loop(n + 1)\nloop(0)", 1.0),
        ("Iterator.from(1).filter(_ => false).map(_ + 1).next()", 1.0),
        "x + 1",
        'case class P(a: Int, b: String)\nSeq(P(1, "one"), P(2, "two")).toDS.map(_.a * 2).collect().sum',
        'spark.range(10).agg(sum("id")).show()',
        ("spark.range(0, 4000000000000L, 1, 4).map(i => math.sin(i.toDouble)).filter(_ > 2).count()", 3.0),
        'sc.parallelize(1 to 4, 2).map { i => if (i == 3) sys.error("bad luck"); i }.sum()',
        f'kernel.html("<b>bold</b>")\nimport sys.process._\nSeq("python3", "-c", """{LISTENING}""").!!',
        "sys.exit(3)",
        "1 + 1",
    )
    ready, first, types, zero, broken, nothing, below, names, *rest = results
    sleeping, looping, calling, filtering, alive, classes, table, job, task, listening, ended, again = rest
    assert ready["ready"] < 15
    assert first["error"] is None
    assert "x is 42, größer\n" in first["out"]
    assert "to err\n" in first["out"]
    assert first["shown"][0]["text/plain"].endswith("Int = 42")
    assert types["status"] == "error"
    assert types["error"][:2] == ["CompileError", "line 1: error: type mismatch;"]
    assert 'val y: Int = "a"\n             ^' in types["error"][2]
    assert zero["error"][:2] == ["java.lang.ArithmeticException", "/ by zero"]
    assert broken["error"][0] == "CompileError"
    assert nothing == {"out": "", "shown": [], "error": None, "status": "ok", "time": nothing["time"]}
    assert below["shown"][0]["text/plain"].endswith("Int = 15"), below
    assert names["matches"] == ["toBinaryString"]
    assert (names["cursor_start"], names["cursor_end"]) == (2, 11)
    for stopped in (sleeping, looping, calling, filtering):
        assert stopped["error"][0] == "java.lang.InterruptedException", stopped
        assert stopped["time"] < 10
    assert alive["shown"][0]["text/plain"].endswith("Int = 43")
    assert classes["shown"][0]["text/plain"].endswith("Int = 6"), classes
    assert "45" in table["out"]
    # Whichever comes first: the job's end, or that of the cell which waits for it.
    assert "cancelled" in job["error"][1] or job["error"][0] == "java.lang.InterruptedException", job
    assert job["time"] < 20
    assert "bad luck" in task["error"][1]
    assert listening["shown"][0]["text/html"] == "<b>bold</b>"
    assert "LISTENING []" in listening["shown"][-1]["text/plain"], listening
    assert "ended with code 3" in ended["error"][2], ended
    assert again["shown"][0]["text/plain"].endswith("Int = 2"), again
