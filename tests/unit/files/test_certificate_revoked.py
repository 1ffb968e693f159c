# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Lists of revoked certificates: signed and served by a real authority, which openssl makes."""

from __future__ import annotations

import contextlib
import http.server
import subprocess
import threading
import typing as t
from pathlib import Path

from galilean_certificate.revoked import in_list

CONFIG = """
[ca]
default_ca = own
[own]
database = {folder}/index.txt
crlnumber = {folder}/crlnumber
default_md = sha256
default_crl_days = 3
"""


def openssl(*argv: str) -> None:
    subprocess.run(["openssl", *argv], check=True, capture_output=True)


def authority(folder: Path, revoked: str) -> Path:
    """Make an authority and its list with one serial number; the authority's certificate."""
    folder.mkdir()
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "9", "-subj", "/CN=authority",
            "-keyout", str(folder / "ca.key"), "-out", str(folder / "ca.pem"))  # fmt: skip
    (folder / "openssl.cnf").write_text(CONFIG.format(folder=folder))
    (folder / "crlnumber").write_text("01\n")
    (folder / "index.txt").write_text(f"R\t310101000000Z\t260101000000Z\t{revoked}\tunknown\t/CN=hub\n")
    openssl("ca", "-config", str(folder / "openssl.cnf"), "-gencrl", "-keyfile", str(folder / "ca.key"),
            "-cert", str(folder / "ca.pem"), "-out", str(folder / "list.pem"))  # fmt: skip
    openssl("crl", "-in", str(folder / "list.pem"), "-outform", "DER", "-out", str(folder / "list.crl"))
    return folder / "ca.pem"


@contextlib.contextmanager
def served(folder: Path) -> t.Iterator[str]:
    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: t.Any) -> None:
            super().__init__(*arguments, directory=str(folder))

        def log_message(self, *_arguments: object) -> None:
            """Quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def test_a_list_of_revoked_certificates(tmp_path: Path) -> None:
    own = authority(tmp_path / "own", "0ABC12")
    other = authority(tmp_path / "other", "0ABC12")
    with served(tmp_path) as url:
        assert in_list(f"{url}/own/list.crl", "0abc12", own)
        assert not in_list(f"{url}/own/list.crl", "0abc13", own)
        # Somebody else's signature proves nothing; neither does silence.
        assert not in_list(f"{url}/other/list.crl", "0abc12", own)
        assert in_list(f"{url}/other/list.crl", "0abc12", other)
        assert not in_list(f"{url}/own/none.crl", "0abc12", own)
    assert not in_list(f"{url}/own/list.crl", "0abc12", own)
