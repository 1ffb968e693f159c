# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Lists of packages as people copy them from elsewhere: taken as their manager does, or refused in time."""

from __future__ import annotations

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.catalog import packages

SHA = "sha256:" + 64 * "0"
TAKEN = {
    "pip": [
        "numpy", "numpy==2.1.0", "numpy == 2.1.0", "numpy>=2,<3", "numpy~=2.1", "numpy!=2.0,>=1",
        "numpy===2.1.0", "numpy (>=2)", "jupyter-server[test,docs]>=2",
        "importlib-metadata; python_version < '3.9'", "ruamel.yaml==0.18.*",
        "pysam @ https://example.org/pysam-0.23-py3-none-any.whl",
        "pysam@https://example.org/pysam-0.23.tar.gz#sha256=" + 64 * "0",
        "https://example.org/pysam-0.23-py3-none-any.whl", "git+https://example.org/lab/tools.git",
        "git+https://example.org/lab/tools@v1.0#egg=tools",
        "tools @ git+https://example.org/lab/tools.git@v1.0",
        "tools[plot] @ git+https://example.org/lab/tools.git@v1.0#subdirectory=python ; python_version > '3'",
        f"numpy==2.1.0 --hash={SHA}", f"numpy==2.1.0 --hash={SHA} --hash={SHA}",
        f"numpy==2.1.0 --hash {SHA}", f"a @ https://example.org/a.whl --hash={SHA}",
    ],
    "npm": [
        "typescript", "typescript@5.9.3", "typescript@^5.9", "typescript@latest", "@scope/name@1.0.0-rc.1",
        "@scope/name", "ts@npm:typescript@5", "jsonstream@1", "https://example.org/name-1.0.tgz",
        "name@https://example.org/name-1.0.tgz",
    ],
    "apt": [
        "vim", "g++", "libstdc++6", "r-base=4.5-1", "libc6:i386", "python3.13", "vim=2:9.*",
        "texlive-latex-base=1:2~deb13u1+b1",
    ],
    "conda": [
        "gdal", "gdal=3.9", "gdal==3.9.2", "gdal >=3.9,<4", "gdal>=3.9|3.8", "gdal 3.9.*",
        "gdal=3.9=py313_0", "conda-forge::gdal", "gdal[version='>=3.9']", "_libgcc_mutex",
    ],
}  # fmt: skip
# By what mends them.
REFUSED = {
    "pip": {
        "as in numpy==2.1.0": [
            "numpy=2.1.0", "numpy 2.1.0", "numpy, scipy", "numpy scipy", "numpy==",
            "numpy==2.1.0; python_version < 3.9", "\u00fcber", "ftp://example.org/tools.whl",
        ],
        "write its lines into the list": [
            "-r requirements.txt", "--requirement=requirements.txt", "-c constraints.txt"
        ],
        "leave the option out": ["-e .", "-e git+https://example.org/a.git#egg=a", "--editable ./a"],
        "options are not taken": [
            "-rrequirements.txt", "-i https://example.org/simple", "--index-url https://example.org/simple",
            "--extra-index-url=https://example.org/simple", "--find-links /wheels", "--pre",
        ],
        "only --hash is taken": ["numpy --no-binary numpy", "numpy==1 --config-settings=a=b"],
        "needs its version": [f"numpy --hash={SHA}", f"numpy>=2 --hash={SHA}"],
        "the hash 'sha256:abc' is none": ["numpy==2 --hash=sha256:abc"],
        "is none": [f"numpy==2 --hash=md5:{32 * '0'}"],
        "no file of the controller": [
            "./tools", "../tools", ".", "/srv/wheels/tools-1.0-py3-none-any.whl", "~/tools",
            "tools-1.0-py3-none-any.whl", "tools-1.0.tar.gz", "requirements.txt", "file:///srv/tools",
            "tools @ file:///srv/tools", "git+file:///srv/tools",
        ],
        "builds have no keys": [
            "git+ssh://git@example.org/lab/tools.git", "tools @ git+ssh://git@example.org/lab/tools.git",
            "git@example.org:lab/tools.git", "hg+https://example.org/tools",
        ],
        "write the value": ["git+https://${TOKEN}@example.org/lab/tools.git", "tools==$VERSION"],
        "give an address": ["tools @ ftp://example.org/tools.whl"],
    },
    "npm": {
        "as in name@1.2.3": ["a b", "a@>=1 <2", "a==1.0"],
        "options are not taken": ["--save"],
        "builds have no git": [
            "github:lab/tools", "lab/tools", "lab/tools#v1", "git+https://example.org/tools.git",
            "git@example.org:lab/tools.git",
        ],
        "no file of the controller": ["./tools", "file:tools", "tools-1.0.tgz"],
    },
    "apt": {
        "name=version": [
            "vim nano", "vim==2", "vim-", "vim*", "Vim", "vim/trixie-backports", "task-desktop^",
            "vim; rm -rf /",
        ],
        "bring a file along": ["./rstudio.deb", "rstudio.deb", "https://example.org/rstudio.deb"],
        "options are not taken": ["--reinstall"],
    },
    "conda": {
        "options are not taken": ["-c bioconda"],
        "as in gdal=3.9": ["gdal; rm", "git+https://example.org/a"],
        "name the channel": ["./gdal.conda", "https://example.org/gdal-3.9.conda"],
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "entry"), [(kind, entry) for kind, entries in TAKEN.items() for entry in entries]
)
def test_taken(kind: str, entry: str) -> None:
    assert packages.problem_of(kind, entry) == ""
    commented = f"# first\n{entry}  # why\n\n"
    assert packages.lines([commented, "", "# nothing"]) == [entry]


@pytest.mark.parametrize(
    ("kind", "entry", "fix"),
    [
        (kind, entry, fix)
        for kind, fixes in REFUSED.items()
        for fix, entries in fixes.items()
        for entry in entries
    ],
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
