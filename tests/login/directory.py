# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A real directory for the tests: Debian's slapd in a container, with a certificate of the tests."""

from __future__ import annotations

import contextlib
import socket
import typing as t
from pathlib import Path

from deployment import docker, wait_until
from idp import free_port, host_address, make_pair

NAME = "galilean-test-directory"
# What the hub binds with where it has to search.
READER, PASSWORD = "cn=admin,dc=institute", "of-the-directory-5d1e"
# As Debian's own: with the schema of nis, which has memberUid. Nobody reads anything without a name.
CONFIG = f"""\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
disallow bind_anon
TLSCertificateFile /given/cert.pem
TLSCertificateKeyFile /given/key.pem
database mdb
suffix "dc=institute"
rootdn "{READER}"
rootpw {PASSWORD}
directory /var/lib/ldap
"""
PEOPLE = """\
dn: dc=institute
objectClass: dcObject
objectClass: organization
dc: institute
o: Institute

dn: ou=people,dc=institute
objectClass: organizationalUnit
ou: people
{people}
dn: cn=hub,dc=institute
objectClass: groupOfNames
cn: hub
member: uid=lise,ou=people,dc=institute
"""
PERSON = """
dn: uid={name},ou=people,dc=institute
objectClass: inetOrgPerson
uid: {name}
cn: {name}
sn: {name}
userPassword: of {name}
"""
START = """\
if [ ! -e /usr/sbin/slapd ]; then
  apt-get update -q >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -qy slapd >/dev/null
  rm -rf /var/lib/ldap/* && slapadd -f /given/slapd.conf -l /given/people.ldif
fi
exec slapd -f /given/slapd.conf -h ldap://{address} -d 0
"""


class Directory:
    """A directory that knows lise, who is of the group hub, and lars, who is not."""

    def __init__(self, folder: Path, image: str) -> None:
        self.host = host_address()
        self.port = free_port(self.host)
        self.folder = folder
        self.certificate = make_pair(folder, self.host)
        people = "".join(PERSON.format(name=name) for name in ("lise", "lars"))
        (folder / "slapd.conf").write_text(CONFIG, encoding="utf-8")
        (folder / "people.ldif").write_text(PEOPLE.format(people=people), encoding="utf-8")
        docker("rm", "-f", NAME, check=False)
        # At the machine's own address: Docker lets networks not reach each other by ports that it publishes.
        options = ["--detach", "--name", NAME, "--user", "0", "--network", "host", "--entrypoint", "sh"]
        start = START.format(address=f"{self.host}:{self.port}")
        # It installs slapd in the time that the hub is deployed.
        docker("run", *options, "--volume", f"{folder}:/given:ro", image, "-e", "-c", start)

    def wait(self) -> None:
        wait_until(self._answers, 180, "the directory")

    def _answers(self) -> bool:
        assert docker("inspect", "--format", "{{.State.Running}}", NAME) == "true", docker("logs", NAME)
        with socket.create_connection((self.host, self.port), timeout=5):
            return True

    @contextlib.contextmanager
    def silent(self) -> t.Iterator[None]:
        """It takes connections and says nothing."""
        docker("pause", NAME)
        try:
            yield
        finally:
            docker("unpause", NAME)

    def pretend(self) -> None:
        """Somebody else answers in its place, with a certificate that nobody trusts."""
        make_pair(self.folder, self.host)
        docker("restart", "--time", "1", NAME)
        self.wait()

    def settings(self, **how: t.Any) -> dict[str, t.Any]:
        return {"server": self.host, "port": self.port, "groups": ["cn=hub,dc=institute"], **how}

    def stop(self) -> None:
        docker("rm", "-f", NAME)
