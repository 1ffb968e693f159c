# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What an institution may list in an image, through the role and against the real engine."""

from __future__ import annotations

import io
import json
import tarfile
import typing as t
from pathlib import Path

import pytest
from engine import ROOT, apply_images, docker

pytestmark = pytest.mark.slow

CHANNEL_PACKAGE = {
    "name": "greeting", "version": "1.2", "build": "0", "build_number": 0, "depends": [], "subdir": "noarch",
    "noarch": "generic",
}  # fmt: skip
COWSAY = "sha256:274b1e6fc1b966d53976333eb90ac94cb07a450a700b455af9fbdf882244b30a"
FILES, WEB = str(ROOT / "files/images"), str(ROOT / "files/web")


def conda_channel(folder: Path) -> Path:
    """A channel with one package, as a conda server would show it."""
    noarch = folder / "noarch"
    noarch.mkdir(parents=True)
    (folder / "linux-64").mkdir()
    (folder / "linux-64/repodata.json").write_text(json.dumps({"packages": {}, "packages.conda": {}}))
    content = {
        "bin/greeting": "#!/bin/sh\necho hello from conda\n",
        "info/index.json": json.dumps(CHANNEL_PACKAGE),
        "info/files": "bin/greeting\n",
        "info/paths.json": json.dumps(
            {"paths": [{"_path": "bin/greeting", "path_type": "hardlink"}], "paths_version": 1}
        ),
    }
    name = "greeting-1.2-0.tar.bz2"
    with tarfile.open(noarch / name, "w:bz2") as tar:
        for path, text in content.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(text), 0o755
            tar.addfile(entry, io.BytesIO(text.encode()))
    repodata = {"packages": {name: {**CHANNEL_PACKAGE, "size": (noarch / name).stat().st_size}}}
    (noarch / "repodata.json").write_text(json.dumps({**repodata, "packages.conda": {}}))
    return folder


@pytest.fixture(scope="module")
def settings(
    refs: dict[str, t.Any], prefix: str, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, t.Any]:
    folder = tmp_path_factory.mktemp("catalogue")
    docker("save", f"--output={folder}/base.tar", refs["base"])
    (folder / "etc").mkdir()
    (folder / "etc/site.conf").write_text("a file of the site\n")
    kernel = {"name": "own", "display_name": "Own", "argv": ["/usr/bin/python3", "-m", "ipykernel_launcher"]}
    own = {
        "apt": ["tree"],
        "pip": [f"# why\ncowsay==6.1 \\\n  --hash={COWSAY}  # as pip writes it"],
        "npm": ["is-number@7.0.0"],
        "kernels": [{**kernel, "env": {"SITE": 1}}],
        "files": [{"src": str(folder / "etc"), "dest": "/etc/site"}],
        "env": {"SITE": 'it is "ours", $HOME'},
        "run": ["echo $(id -un) > /ran"],
    }
    channel = [{"src": str(conda_channel(folder / "channel")), "dest": "/channel"}]
    return {
        "images_prefix": prefix,
        "images_base_archive": f"{folder}/base.tar",
        "images_log_dir": f"{folder}/log",
        "images_catalog": [
            {"name": "tools", "path": f"{FILES}/tools", "internal": True},
            {"name": "hub-core", "path": f"{FILES}/hub-core", "internal": True},
            {
                "name": "notebook",
                "path": f"{FILES}/notebook",
                "files": [{"src": f"{WEB}/notebook", "dest": "web"}],
            },
            {"name": "left-out", "pip": ["nothing"], "internal": True},
        ],
        "images_catalog_extra": [
            {"name": "notebook", **own, "extensions": ["jupyterlab-execute-time==3.3.0"]},
            {"name": "hub", "parent": "hub-core", "pip": ["cowsay==6.1"]},
            {"name": "channel", "files": channel, "internal": True},
            {
                "name": "site",
                "parent": "channel",
                "stack": True,
                "conda": ["greeting=1.2"],
                "conda_channels": ["file:///channel"],
                "pip": ["cowsay==6.1"],
                "npm": ["is-number@7.0.0"],
                "kernels": [kernel],
            },
            {"name": "all", "stack": True, "includes": ["site"]},
        ],
        "images_software_stack": "all",
    }


@pytest.fixture(scope="module")
def built(settings: dict[str, t.Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, t.Any]:
    done = apply_images(tmp_path_factory.mktemp("role"), settings)
    assert done.status == 0, done.said
    return done.refs


def sh(ref: str, script: str) -> str:
    return docker("run", "--rm", "--network=none", "--entrypoint=/bin/sh", ref, "-c", script)


def test_layers_on_an_image_of_ours(built: dict[str, t.Any]) -> None:
    notebook = built["notebook"]
    assert "own" in sh(notebook, "jupyter kernelspec list --json")
    assert "jupyterlab-execute-time" in sh(notebook, "/opt/notebook/bin/jupyter labextension list 2>&1")
    script = "tree --version; python3 -m cowsay -t moo; cat /etc/site/site.conf /ran; id -un; env"
    said = sh(notebook, f"exec 2>&1; {script}")
    for expected in ("tree v", "| moo |", "a file of the site", "root\njovyan\n", 'SITE=it is "ours", $HOME'):
        assert expected in said
    assert sh(notebook, "cd /usr/local/lib && node -e 'console.log(require(\"is-number\")(5))'") == "true"
    # What builds borrow, or need for the site's CA, does not stay.
    assert sh(
        notebook, "ls -A /opt/tools /var/lib/apt/lists 2>/dev/null | grep -v : | sort -u | tr -d '\\n'"
    ) in ("", "lockpartial")


def test_layers_on_the_hub(built: dict[str, t.Any]) -> None:
    assert "| moo |" in sh(built["hub"], "/opt/hub/bin/python -m cowsay -t moo")


def test_stack(built: dict[str, t.Any]) -> None:
    software = built["all"]
    assert sh(software, "/opt/software/conda/bin/greeting") == "hello from conda"
    assert sh(software, "ls /opt/software/lib/python3*/packages | head -n 1") == "cowsay"
    assert "is-number" in sh(software, "ls /opt/software/lib/node_modules")
    kernel = json.loads(sh(software, "cat /opt/software/share/jupyter/kernels/own/kernel.json"))
    assert kernel["display_name"] == "Own"


def test_second_run(built: dict[str, t.Any], settings: dict[str, t.Any], tmp_path: Path) -> None:
    again = apply_images(tmp_path, settings)
    assert "changed=0 " in again.said
    assert again.refs == built
    assert "left-out" not in again.refs


@pytest.mark.parametrize(
    ("key", "package"),
    [
        pytest.param("pip", "galilean-no-such-package", marks=pytest.mark.slow),
        pytest.param("npm", "galilean-no-such-package", marks=pytest.mark.slow),
        ("pip", f"cowsay==6.1 --hash=sha256:{64 * '0'}"),
    ],
)
def test_a_package_that_is_not_there(
    built: dict[str, t.Any], settings: dict[str, t.Any], tmp_path: Path, key: str, package: str
) -> None:
    extra = {"name": "wrong", "stack": True, key: [package]}
    wrong = {**settings, "images_catalog_extra": [*settings["images_catalog_extra"], extra]}
    failed = apply_images(tmp_path, {**wrong, "images_software_stack": "wrong"})
    assert failed.status == 2
    assert "The build of" in failed.said
    assert package.partition("==")[0] in failed.said
    assert docker("image", "ls", "--quiet", f"{settings['images_prefix']}/wrong") == ""
