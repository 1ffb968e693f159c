# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Keeps what Ansible makes of a module for the next run: a scenario runs Ansible dozens of times.

To send a module, Ansible parses it and all that it imports, anew in each run: a tenth of what a run of a role
costs here. The results are kept in .cache, in a folder whose name covers every source that they depend on.
Where Ansible looks for them elsewhere, this does nothing.

What is kept also gets bytecode: in each task, a module compiles the library that comes with it, which takes
longer than what most of them do. A host with another Python than the controller's ignores it, as Python does.
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import hashlib
import importlib.util
import io
import marshal
import os
import pickle
import sys
import zipfile
from pathlib import Path

from ansible import constants as C
from ansible.plugins.callback import CallbackBase
from ansible.release import __version__

REPO = Path(__file__).resolve().parents[3]
SOURCES = ("requirements*.txt", "plugins/modules/*.py", "plugins/module_utils/**/*.py")

DOCUMENTATION = """
name: module_cache
type: aggregate
short_description: Keeps what Ansible makes of a module for the next run
description:
  - For the tests of this repository only.
"""


def kept() -> Path:
    digest = hashlib.sha256(f"{__version__} {sys.version} {sys.prefix}".encode())
    for pattern in SOURCES:
        for file in sorted(REPO.glob(pattern)):
            digest.update(f"\n{file} ".encode() + file.read_bytes())
    return REPO / ".cache" / "ansible-modules" / digest.hexdigest()[:16]


def bytecode(source: bytes, name: str) -> bytes:
    """What a .pyc file holds that is used without a look at its source (PEP 552)."""
    unchecked = (1).to_bytes(4, "little")
    header = importlib.util.MAGIC_NUMBER + unchecked + importlib.util.source_hash(source)
    return header + marshal.dumps(compile(source, name, "exec", dont_inherit=True))


def compiled(archive: bytes) -> bytes:
    """A module as it is sent, with bytecode beside each source."""
    stream = io.BytesIO(archive)
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as file:
        names = set(file.namelist())
        for name in [one for one in names if one.endswith(".py") and f"{one}c" not in names]:
            beside = zipfile.ZipInfo(f"{name}c", file.getinfo(name).date_time)
            file.writestr(beside, bytecode(file.read(name), name), zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def compile_kept(folder: Path) -> None:
    """Add bytecode to what runs before this one have left; others may do the same meanwhile."""
    for file in folder.glob("*-none"):
        done = file.with_name(f"{file.name}.compiled")
        if not done.exists():
            module = pickle.loads(file.read_bytes())
            archive = base64.b64encode(compiled(base64.b64decode(module.zip_data)))
            part = file.with_name(f"{file.name}.{os.getpid()}")
            part.write_bytes(pickle.dumps(dataclasses.replace(module, zip_data=archive)))
            part.replace(file)
            done.touch()


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """Begins before the first task, in the process that all others come from."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "module_cache"

    def v2_playbook_on_start(self, playbook: object) -> None:
        folder = kept()
        folder.mkdir(parents=True, exist_ok=True)
        compile_kept(folder)
        # Ansible removes its own folder at the end, and of this one only the link.
        with contextlib.suppress(FileExistsError):
            Path(C.DEFAULT_LOCAL_TMP, "ansiballz_cache").symlink_to(folder)
