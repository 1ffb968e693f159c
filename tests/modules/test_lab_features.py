# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a site turns on in JupyterLab, in the browser of somebody who works with it."""

from __future__ import annotations

import json
import re
import time
import typing as t
import zipfile
from pathlib import Path

import pytest
from browser import Visit, visit
from engine import apply_images, docker
from environments import BASE, TOKEN, Server, running
from playwright.sync_api import expect

FEATURES = "archive,debugger,notifications,proxy,quickopen,trash"
# The home of somebody who has deleted something long ago and an hour ago, and something of a shared folder.
HOME = """
cd && mkdir -p course/week-1 .hidden && echo '1,2' > course/week-1/data.csv && echo '# plan' > course/plan.md
deleted() {
  mkdir -p "$1/files" "$1/info" && echo x > "$1/files/$2"
  printf '[Trash Info]\\nPath=/home/jovyan/%s\\n' "$2" > "$1/info/$2.trashinfo"
  touch -d "$3" "$1/info/$2.trashinfo"
}
deleted .local/share/Trash 'long ago' '40 days ago'
deleted .local/share/Trash recent '1 hour ago'
deleted /shared/lab/.Trash-1 'long ago' '40 days ago'
settings=.jupyter/lab/user-settings/galilean-notifications && mkdir -p $settings
echo '{"seconds": 1}' > $settings/plugin.jupyterlab-settings
"""
# The page is safe by its name, as with HTTPS: otherwise browsers have no notifications.
SITE = "lab.localhost"
SAID = """
() => {
  window.said = [];
  const Real = window.Notification;
  window.Notification = class extends Real {
    constructor(title, options) { super(title, options); window.said.push([title, options.body]); }
  };
}
"""
# Names of modules of the server.
LAZY = ("jupyter_archive", "jupyterlab_quickopen", "jupyterlab_trash_mgmt_extension", "jupyter_server_proxy")
# What is deleted while there is no room, and what is deleted from another mount of the same device.
TRASH = """
import json, os, pathlib, hometrash
home, lab = pathlib.Path.home(), pathlib.Path("/shared/lab")
trash = home / ".local/share/Trash/files"
for name in ("first", "second"):
    (home / name).write_bytes(bytes(100_000))
    hometrash.trash(str(home / name))
    os.utime(trash.parent / f"info/{name}.trashinfo", (1, 1 + (name == "second")))
(home / "third").mkdir()
(home / "third/file").write_bytes(bytes(10_000))
try:
    (home / "big").write_bytes(bytes(2_000_000))
except OSError:
    pass
hometrash.trash(str(home / "third"))
found = {"kept": sorted(os.listdir(trash))}
os.makedirs(lab / "runs")
(home / "shared").symlink_to("/shared")
hometrash.trash(str(home / "shared/lab/runs"))
found["shared"] = os.listdir(lab / f".Trash-{os.getuid()}/files")
found["home"] = sorted(os.listdir(trash))
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def notebook(refs: dict[str, t.Any]) -> str:
    return str(refs["notebook"])


@pytest.fixture(scope="module")
def server(notebook: str, prefix: str) -> t.Iterator[Server]:
    home, lab = f"{prefix}-features", f"{prefix}-features-lab"
    mounts = [f"--volume={home}:/home/jovyan", f"--volume={lab}:/shared/lab"]
    once = ["run", "--rm", *mounts, "--network=none", "--entrypoint=sh"]
    docker(*once, "--user=root", notebook, "-c", "chown jovyan:jovyan /shared/lab")
    docker(*once, notebook, "-ec", HOME)
    told = [f"--env=NOTEBOOK_FEATURES={FEATURES}", "--env=NOTEBOOK_LANGUAGES=fr_FR,de_DE"]
    try:
        with running(notebook, f"{prefix}-features-server", *mounts, *told) as found:
            yield found
    finally:
        docker("volume", "rm", "--force", home, lab, check=False)


@pytest.fixture(scope="module")
def person(server: Server, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Visit]:
    address = server.url.removeprefix("http://").partition(":")[0]
    url = f"http://{SITE}:8888"
    with visit(url, tmp_path_factory.mktemp("pictures"), hosts=f"MAP {SITE} {address}") as seen:
        seen.page.context.grant_permissions(["notifications"], origin=url)
        seen.go(f"{BASE}/lab?token={TOKEN}")
        seen.page.locator(".jp-Launcher").wait_for()
        yield seen


def sh(server: Server, script: str) -> str:
    return docker("exec", server.container, "bash", "-c", f"cd; {script}")


def menu(person: Visit, first: str, *names: str) -> None:
    person.page.get_by_role("menuitem", name=first, exact=True).first.click()
    for name in names:
        person.page.locator(".lm-Menu-item").get_by_text(name, exact=True).click()


def of_item(person: Visit, item: str, entry: str) -> None:
    """Choose an entry of an item's context menu in the file browser."""
    person.page.locator(".jp-DirListing-item", has_text=item).click(button="right")
    person.page.locator(".lm-Menu-item").get_by_text(entry, exact=True).click()


def panel(person: Visit, name: str) -> None:
    person.page.locator(f'.jp-SideBar .lm-TabBar-tab[data-id="{name}"]').click()


def extensions(server: Server) -> set[str]:
    page = server.get("lab")[2].partition('type="application/json">')[2].partition("</script>")[0]
    return {one["name"] for one in json.loads(page)["federated_extensions"]}


def test_features_wait_until_they_are_used(server: Server) -> None:
    names = {
        *("@hadim/jupyter-archive", "galilean-notifications", "jupyterlab-quickopen"),
        "jupyterlab_trash_mgmt_extension",
    }
    assert extensions(server) >= names
    assert not [name for name in LAZY if name in server.logs()]
    found = json.loads(server.get("jupyterlab-trash-mgmt-extension/list")[2])
    assert [one["name"] for one in found["items"]] == ["recent"]
    assert "jupyterlab_trash_mgmt_extension | extension was successfully loaded" in server.logs()


def test_old_trash_is_gone(server: Server) -> None:
    assert sh(server, "cd .local/share/Trash && find . -type f | sort").split() == [
        "./files/recent",
        "./info/recent.trashinfo",
    ]
    assert sh(server, "find /shared/lab/.Trash-1 -type f") == ""


def test_the_trash_in_a_full_home_and_of_shared_folders(notebook: str) -> None:
    user = docker("run", "--rm", "--network=none", "--entrypoint=id", notebook, "-u")
    options = f"uid={user},gid={user},mode=0700"
    places = [f"--tmpfs=/home/jovyan:size=400k,{options}", f"--tmpfs=/shared/lab:size=1m,{options}"]
    argv = ["run", "--rm", "--network=none", *places, "--entrypoint=/opt/notebook/bin/python", notebook]
    assert json.loads(docker(*argv, "-I", "-c", TRASH)) == {
        "kept": ["second", "third"],
        "shared": ["runs"],
        "home": ["second", "third"],
    }


def test_a_folder_comes_as_an_archive(person: Visit) -> None:
    with person.page.expect_download() as begun:
        of_item(person, "course", "Download as an Archive")
    with zipfile.ZipFile(begun.value.path()) as archive:
        assert sorted(archive.namelist()) == ["course/plan.md", "course/week-1/data.csv"]


def test_folders_are_deleted_and_restored(server: Server, person: Visit) -> None:
    course = person.page.locator(".jp-DirListing-item", has_text="course")
    of_item(person, "course", "Move to Trash")
    person.page.locator(".jp-Dialog button.jp-mod-accept").click()
    expect(course).to_have_count(0)
    assert sh(server, "cat .local/share/Trash/files/course/week-1/data.csv") == "1,2"
    panel(person, "jp-trash-panel")
    deleted = person.page.locator("#jp-trash-panel").get_by_text("course", exact=True)
    deleted.click(button="right")
    person.page.locator(".lm-Menu-item").get_by_text("Restore", exact=True).click()
    expect(deleted).to_have_count(0)
    assert sh(server, "cat course/week-1/data.csv") == "1,2"


def test_hidden_files_are_shown_on_demand(person: Visit) -> None:
    panel(person, "filebrowser")
    hidden = person.page.locator(".jp-DirListing-item", has_text=".hidden")
    expect(hidden).to_have_count(0)
    menu(person, "View", "Show Hidden Files")
    hidden.wait_for()


def test_nothing_leads_nowhere(person: Visit) -> None:
    names = [tab.get_attribute("data-id") for tab in person.page.locator(".jp-SideBar .lm-TabBar-tab").all()]
    assert "jp-trash-panel" in names
    assert not [name for name in names if "extensionmanager" in str(name)]
    menu(person, "Settings", "Language")
    person.page.locator(".lm-Menu-item").get_by_text("French (France)").wait_for()
    expect(person.page.locator(".lm-Menu-item").get_by_text("Install more languages")).to_be_hidden()
    person.page.keyboard.press("Escape")
    person.page.keyboard.press("Escape")


def test_the_first_choice_of_a_theme(person: Visit) -> None:
    body = person.page.locator("body")
    person.page.emulate_media(color_scheme="dark")
    expect(body).to_have_attribute("data-jp-theme-name", "JupyterLab Dark")
    menu(person, "Settings", "Theme", "JupyterLab Dark High Contrast")
    expect(body).to_have_attribute("data-jp-theme-name", "JupyterLab Dark High Contrast")


def test_files_are_opened_by_a_part_of_their_name(person: Visit) -> None:
    person.page.keyboard.press("Control+Shift+P")
    found = person.page.locator(".lm-CommandPalette-item", has_text="data.csv")
    person.page.keyboard.type("data")
    found.first.wait_for()
    person.page.keyboard.press("Enter")
    person.page.locator(".jp-CSVViewer").wait_for()


def test_the_first_tab_completes_and_a_long_cell_notifies(person: Visit) -> None:
    menu(person, "File", "New Launcher")
    person.page.locator(".jp-LauncherCard[data-category='Notebook']:visible").first.click()
    person._wait_for_kernel()
    person.page.keyboard.type("import time")
    person.page.keyboard.press("Shift+Enter")
    person._wait_for_kernel()
    person.page.keyboard.type("time.s")
    person.page.keyboard.press("Tab")
    # The kernel's first answer takes longer than JupyterLab waits for by itself.
    person.page.locator(".jp-Completer-item", has_text="sleep").first.wait_for()
    person.page.keyboard.press("Escape")
    person.page.keyboard.type("leep(2)")
    person.page.evaluate(SAID)
    person.page.keyboard.press("Shift+Enter")
    # As when somebody looks at another page.
    person.page.evaluate("void (document.hasFocus = () => false)")
    person.page.wait_for_function("window.said.length")
    ((title, body),) = person.page.evaluate("window.said")
    assert re.fullmatch(r"Untitled\d*\.ipynb", title)
    assert re.fullmatch(r"A cell has ended after \d+ s\.", body)
    # A change of theme shows JupyterLab's splash screen, which may be removed once more while it fades.
    splash = "The node to be removed is not a child of this node."
    assert person.errors in ([], [f"exception: Failed to execute 'removeChild' on 'Node': {splash}"])


def test_programs_of_the_users_own(server: Server) -> None:
    serve = ["python3", "-m", "http.server", "--bind=127.0.0.1", "--directory=/home/jovyan/course", "8501"]
    docker("exec", "--detach", server.container, *serve)
    end = time.monotonic() + 60
    while server.get("proxy/8501/week-1/data.csv")[2] != "1,2\n":
        assert time.monotonic() < end, server.logs()
        time.sleep(0.2)
    # This machine's alone.
    assert server.get("proxy/169.254.169.254:80/")[0] == 403
    assert "/login?next=" in server.get("proxy/8501/", token=False)[1]


@pytest.mark.slow
def test_git_and_dashboards(prefix: str, tmp_path: Path) -> None:
    """Both are parts of the image where the hub turns them on."""
    built = apply_images(tmp_path, {"jupyterhub_lab_features": ["git", "voila"]})
    assert built.status == 0, built.said
    cell: dict[str, t.Any] = {
        "cell_type": "code",
        "source": "6 * 7",
        "metadata": {},
        "outputs": [],
        "execution_count": None,
    }
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    book = {"cells": [cell], "metadata": kernel, "nbformat": 4, "nbformat_minor": 4}
    with running(built.refs["notebook"], f"{prefix}-extras", "--env=NOTEBOOK_FEATURES=git,voila") as server:
        sh(server, f"mkdir a && cd a && git init -q && echo '{json.dumps(book)}' > b.ipynb")
        assert extensions(server) >= {
            "@jupyterlab/git",
            "nbdime-jupyterlab",
            "@voila-dashboards/jupyterlab-preview",
        }
        assert not [name for name in ("voila", "jupyterlab_git", "nbdime") if f"{name} | " in server.logs()]
        with server.visit(tmp_path, "voila/render/a/b.ipynb") as person:
            person.page.get_by_text("42", exact=True).wait_for()
            assert not [error for error in person.errors if "https://" in error]
        with server.visit(tmp_path, "lab/tree/a/b.ipynb") as person:
            person.page.get_by_role("button", name="Render with Voilà").wait_for()
            panel(person, "jp-git-sessions")
            person.page.locator("#jp-git-sessions").get_by_text("b.ipynb", exact=True).wait_for()
