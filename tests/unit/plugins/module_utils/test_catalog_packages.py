# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Lists of packages as people copy them from elsewhere: taken as their manager does, or refused in time."""

from __future__ import annotations

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.catalog import packages

SHA = "sha256:" + 64 * "0"
TAKEN = {
    "pip": [
        "numpy",
        "numpy==2.1.0",
        "numpy == 2.1.0",
        "numpy>=2,<3",
        "numpy~=2.1",
        "numpy!=2.0,>=1",
        "numpy===2.1.0",
        "numpy (>=2)",
        "jupyter-server[test,docs]>=2",
        "importlib-metadata; python_version < '3.9'",
        "ruamel.yaml==0.18.*",
        "pysam @ https://example.org/pysam-0.23-py3-none-any.whl",
        "pysam@https://example.org/pysam-0.23.tar.gz#sha256=" + 64 * "0",
        "https://example.org/pysam-0.23-py3-none-any.whl",
        "git+https://example.org/lab/tools.git",
        "git+https://example.org/lab/tools@v1.0#egg=tools",
        "tools @ git+https://example.org/lab/tools.git@v1.0",
        "tools[plot] @ git+https://example.org/lab/tools.git@v1.0#subdirectory=python ; python_version > '3'",
        f"numpy==2.1.0 --hash={SHA}",
        f"numpy==2.1.0 --hash={SHA} --hash={SHA}",
        f"numpy==2.1.0 --hash {SHA}",
        f"a @ https://example.org/a.whl --hash={SHA}",
    ],
    "npm": [
        "typescript",
        "typescript@5.9.3",
        "typescript@^5.9",
        "typescript@latest",
        "@scope/name@1.0.0-rc.1",
        "@scope/name",
        "ts@npm:typescript@5",
        "jsonstream@1",
        "https://example.org/name-1.0.tgz",
        "name@https://example.org/name-1.0.tgz",
    ],
    "apt": [
        "vim",
        "g++",
        "libstdc++6",
        "r-base=4.5-1",
        "libc6:i386",
        "python3.13",
        "vim=2:9.*",
        "texlive-latex-base=1:2~deb13u1+b1",
    ],
    "conda": [
        "gdal",
        "gdal=3.9",
        "gdal==3.9.2",
        "gdal >=3.9,<4",
        "gdal>=3.9|3.8",
        "gdal 3.9.*",
        "gdal=3.9=py313_0",
        "conda-forge::gdal",
        "gdal[version='>=3.9']",
        "_libgcc_mutex",
    ],
}
REFUSED = {
    "pip": {
        "numpy=2.1.0": "as in numpy==2.1.0",
        "numpy 2.1.0": "as in numpy==2.1.0",
        "numpy, scipy": "as in numpy==2.1.0",
        "numpy scipy": "as in numpy==2.1.0",
        "numpy==": "as in numpy==2.1.0",
        "numpy==2.1.0; python_version < 3.9": "as in numpy==2.1.0",
        "\u00fcber": "as in numpy==2.1.0",
        "-r requirements.txt": "write its lines into the list",
        "-rrequirements.txt": "options are not taken",
        "--requirement=requirements.txt": "write its lines into the list",
        "-c constraints.txt": "write its lines into the list",
        "-e .": "leave the option out",
        "-e git+https://example.org/a.git#egg=a": "leave the option out",
        "--editable ./a": "leave the option out",
        "-i https://example.org/simple": "options are not taken",
        "--index-url https://example.org/simple": "options are not taken",
        "--extra-index-url=https://example.org/simple": "options are not taken",
        "--find-links /wheels": "options are not taken",
        "--pre": "options are not taken",
        "numpy --no-binary numpy": "only --hash is taken",
        "numpy==1 --config-settings=a=b": "only --hash is taken",
        f"numpy --hash={SHA}": "needs its version",
        f"numpy>=2 --hash={SHA}": "needs its version",
        "numpy==2 --hash=sha256:abc": "the hash 'sha256:abc' is none",
        f"numpy==2 --hash=md5:{32 * '0'}": "is none",
        "./tools": "no file of the controller",
        "../tools": "no file of the controller",
        ".": "no file of the controller",
        "/srv/wheels/tools-1.0-py3-none-any.whl": "no file of the controller",
        "~/tools": "no file of the controller",
        "tools-1.0-py3-none-any.whl": "no file of the controller",
        "tools-1.0.tar.gz": "no file of the controller",
        "requirements.txt": "no file of the controller",
        "file:///srv/tools": "no file of the controller",
        "tools @ file:///srv/tools": "no file of the controller",
        "git+ssh://git@example.org/lab/tools.git": "builds have no keys",
        "tools @ git+ssh://git@example.org/lab/tools.git": "builds have no keys",
        "git@example.org:lab/tools.git": "builds have no keys",
        "hg+https://example.org/tools": "builds have no keys",
        "git+file:///srv/tools": "no file of the controller",
        "git+https://${TOKEN}@example.org/lab/tools.git": "write the value",
        "tools==$VERSION": "write the value",
        "ftp://example.org/tools.whl": "as in numpy==2.1.0",
        "tools @ ftp://example.org/tools.whl": "give an address",
    },
    "npm": {
        "a b": "as in name@1.2.3",
        "--save": "options are not taken",
        "github:lab/tools": "builds have no git",
        "lab/tools": "builds have no git",
        "lab/tools#v1": "builds have no git",
        "git+https://example.org/tools.git": "builds have no git",
        "git@example.org:lab/tools.git": "builds have no git",
        "./tools": "no file of the controller",
        "file:tools": "no file of the controller",
        "tools-1.0.tgz": "no file of the controller",
        "a@>=1 <2": "as in name@1.2.3",
        "a==1.0": "as in name@1.2.3",
    },
    "apt": {
        "vim nano": "name=version",
        "vim==2": "name=version",
        "vim-": "name=version",
        "vim*": "name=version",
        "Vim": "name=version",
        "vim/trixie-backports": "name=version",
        "task-desktop^": "name=version",
        "vim; rm -rf /": "name=version",
        "./rstudio.deb": "bring a file along",
        "rstudio.deb": "bring a file along",
        "https://example.org/rstudio.deb": "bring a file along",
        "--reinstall": "options are not taken",
    },
    "conda": {
        "-c bioconda": "options are not taken",
        "gdal; rm": "as in gdal=3.9",
        "./gdal.conda": "name the channel",
        "https://example.org/gdal-3.9.conda": "name the channel",
        "git+https://example.org/a": "as in gdal=3.9",
    },
}


@pytest.mark.parametrize(
    ("kind", "entry"), [(kind, entry) for kind, entries in TAKEN.items() for entry in entries]
)
def test_taken(kind: str, entry: str) -> None:
    assert packages.problem_of(kind, entry) == ""
    commented = f"# first\n{entry}  # why\n\n"
    assert packages.lines([commented, "", "# nothing"]) == [entry]


@pytest.mark.parametrize(
    ("kind", "entry", "fix"),
    [(kind, entry, fix) for kind, entries in REFUSED.items() for entry, fix in entries.items()],
)
def test_refused(kind: str, entry: str, fix: str) -> None:
    assert fix in packages.problem_of(kind, entry)


@pytest.mark.parametrize("kind", packages.KINDS)
@pytest.mark.parametrize("entry", [1, 1.5, None, True, ["a"], {"name": "a"}])
def test_what_is_no_text(kind: str, entry: object) -> None:
    assert packages.problem_of(kind, packages.lines([entry])[0]) == "give a text"


def test_lines_are_joined_as_pip_does() -> None:
    assert packages.lines(["a==1 \\\n  --hash=x \\\n  --hash=y\nb # c", "c#d", "d @ https://e/f#g"]) == [
        "a==1 --hash=x --hash=y",
        "b",
        "c#d",
        "d @ https://e/f#g",
    ]


def test_lists_of_packages_among_the_settings() -> None:
    said = [
        "docker_packages_extra has 'vim nano': name one package of the distribution, or one version of it "
        "as name=version."
    ]
    assert packages.setting_problems("docker_packages_extra", ["vim", "vim nano"]) == said
    # What is of another type is said elsewhere.
    assert packages.setting_problems("docker_packages_extra", [1]) == []
    assert packages.setting_problems("certbot_packages_extra", ["a==1"]) == []
