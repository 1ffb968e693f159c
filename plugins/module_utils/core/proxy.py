# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Addresses of a proxy and of package indexes, with passwords in them. Pure."""

from __future__ import annotations

import base64
import ipaddress
import re
import typing as t
from urllib.parse import quote, unquote, urlsplit

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError

_HOST = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*\.?\Z")
_NAME = re.compile(r"^(\*?\.)?[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?\Z")
# What is always reached directly: the machine itself, and other containers by the names that they have for each other.
LOCAL = ("localhost", "127.0.0.1", "::1", "hub", "proxy")
# Of its user, where what comes as the password is a token, as PyPI's clients have it.
TOKEN = "__token__"


class Address(t.NamedTuple):
    """An address without user and password, and these two, not escaped any more."""

    scheme: str
    host: str
    port: int | None
    path: str
    user: str
    password: str

    @property
    def place(self) -> str:
        """Host and port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"

    @property
    def public(self) -> str:
        """The address without user and password."""
        return f"{self.scheme}://{self.place}{self.path}"

    @property
    def full(self) -> str:
        """The address with both, escaped so that every program reads the same."""
        user = quote(self.user, safe="")
        secret = f"{user}:{quote(self.password, safe='')}@" if self.password else f"{user}@" if user else ""
        return f"{self.scheme}://{secret}{self.place}{self.path}"


def masked(url: str) -> str:
    """An address as it may be shown, however wrong it is."""
    head, at, tail = url.rpartition("@")
    return (
        f"{head.partition('://')[0]}://***@{tail}" if at and "://" in head else f"***@{tail}" if at else url
    )


def parse(setting: str, value: t.Any, example: str, paths: bool = False) -> Address | None:
    """An address; None for an empty one; HubError with setting, value and fix."""
    url = str(value or "")
    if not url.strip():
        return None

    def refuse(what: str) -> t.NoReturn:
        raise HubError(f"{setting} is '{masked(url)}', {what}")

    if re.search(r"[\s\x00-\x1f\x7f]", url):
        refuse("which has a space or a line break in it: take it out, and write %20 for one in a password.")
    scheme, mark, rest = url.partition("://")
    scheme = scheme.lower()
    if not mark:
        refuse(f"which has no scheme: begin with http://, as in {example}.")
    if scheme.startswith("socks"):
        refuse(f"a SOCKS proxy, which apt, pip and npm cannot use: give an HTTP proxy, as in {example}.")
    if scheme not in (("http", "https") if paths else ("http",)):
        way = "http:// or https://" if paths else "http:// (also where it leads to addresses with https)"
        refuse(f"which begins with {scheme}://: give one that begins with {way}, as in {example}.")
    if rest.count("@") > 1:
        refuse("which has more than one @: write %40 for one in the user's name or the password.")
    if re.search(r"%(?![0-9A-Fa-f]{2})", rest):
        refuse("which has a % that escapes nothing: write %25 for one in the user's name or the password.")
    secret = rest.rpartition("@")[0]
    if re.search(r"[/?#]", secret):
        refuse(
            "with a character in the user's name or the password that ends it: write %2F for /, %3F for ?, %23 for #."
        )
    try:
        parts = urlsplit(f"{scheme}://{rest}")
        port, host = parts.port, parts.hostname or ""
    except ValueError:
        refuse(
            f"whose port is not a number up to 65535 (write %3A for a colon in a password): as in {example}."
        )
    try:
        ipaddress.ip_address(host)
    except ValueError:
        if not _HOST.match(host):
            refuse(f"whose host '{host}' is no name and no address: correct it, as in {example}.")
    if parts.query or parts.fragment or (parts.path.strip("/") and not paths):
        refuse(f"with something after host and port: take it out, as in {example}.")
    if port is None and not paths:
        refuse(f"without a port: add it, as in {example}.")
    user, colon, password = secret.partition(":")
    if (secret or colon) and not user:
        refuse("with a password and no user: give both, as in http://user:password@...")
    path = parts.path if paths else ""
    return Address(scheme, host, port, path, unquote(user), unquote(password))


PROXY_EXAMPLE = "http://proxy.example.org:3128"


def _proxy(setting: str, value: t.Any) -> Address | None:
    found = parse(setting, value, PROXY_EXAMPLE)
    if found is None:
        return None
    try:
        local = ipaddress.ip_address(found.host).is_loopback
    except ValueError:
        local = f".{found.host.rstrip('.').lower()}".endswith(".localhost")
    if local:
        raise HubError(
            f"{setting} is '{masked(str(value))}', which builds and containers take for themselves: let the proxy listen on an "
            "address of the host's that is not its loopback, and give that."
        )
    return found


def _direct(setting: str, entries: t.Any) -> list[str]:
    """What is reached without the proxy, in the form that all programs understand."""
    words = [entries] if isinstance(entries, str) else list(entries or [])
    found = []
    for word in (part for entry in words for part in re.split(r"[,\s]+", str(entry)) if part):
        if "://" in word or (word.count(":") == 1 and "/" not in word):
            raise HubError(
                f"{setting} has '{masked(word)}': give a name or an address alone, without http:// and port."
            )
        try:
            ipaddress.ip_network(word, strict=False)
        except ValueError:
            if not _NAME.match(word) or re.match(r"^[0-9./]+\Z", word):
                raise HubError(
                    f"{setting} has '{word}': give names (wiki.example.org), domains (.example.org), addresses or networks "
                    "(10.0.0.0/8)."
                ) from None
            word = word[1:] if word.startswith("*.") else word
        found.append(word)
    return found


def environment(
    http: t.Any, https: t.Any, no_proxy: t.Any, networks: t.Sequence[str] = (), prefix: str = "bootstrap_"
) -> dict[str, str]:
    """The variables that programs read a proxy from, in lower case, as curl does; empty where there is none."""
    found = {
        "http_proxy": _proxy(f"{prefix}http_proxy", http),
        "https_proxy": _proxy(f"{prefix}https_proxy", https),
    }
    direct = list(dict.fromkeys([*LOCAL, *networks, *_direct(f"{prefix}no_proxy", no_proxy)]))
    addresses = {name: address.full for name, address in found.items() if address}
    return {**addresses, "no_proxy": ",".join(direct)} if addresses else {}


def apt_options(variables: t.Mapping[str, str]) -> str:
    """A proxy as apt's own file has it; empty where there is none."""
    lines = [
        f'Acquire::{scheme}::Proxy "{variables[f"{scheme}_proxy"]}";'
        for scheme in ("http", "https")
        if variables.get(f"{scheme}_proxy")
    ]
    # apt knows hosts here, no domains and no networks.
    hosts = [
        word for word in variables.get("no_proxy", "").split(",") if word and not re.match(r"^\.|.*/", word)
    ]
    lines += [
        f'Acquire::{scheme}::Proxy::{word} "DIRECT";'
        for word in hosts
        if ":" not in word
        for scheme in ("http", "https")
    ]
    return "\n".join(["// Written by galilean.hub.", *lines, ""]) if variables else ""


INDEXES = {
    "pypi": ("images_pypi_index", "https://user:password@pypi.example.org/simple"),
    "npm": ("images_npm_registry", "https://user:password@npm.example.org/"),
    "mirror": ("images_base_mirror", "https://user:password@debian.example.org/debian"),
}


def index_addresses(settings: t.Mapping[str, t.Any]) -> dict[str, Address]:
    """The indexes that a site names, by kind; HubError with setting, value and fix."""
    found = {}
    for kind, (setting, example) in INDEXES.items():
        address = parse(setting, settings.get(kind), example, paths=True)
        if address is None:
            continue
        if kind == "mirror" and re.search(r"\s", address.user + address.password):
            raise HubError(
                f"{setting} has a password with a space, which apt cannot send: choose another one."
            )
        if address.user and not address.password:
            raise HubError(
                f"{setting} is '{masked(str(settings[kind]))}', with a user and no password: give both, as in {example}."
            )
        found[kind] = address
    return found


def build_secrets(settings: t.Mapping[str, t.Any]) -> dict[str, str]:
    """What builds read the indexes from, as files of each tool by the secret's id; empty where nothing is set."""
    found = index_addresses(settings)
    files = {}
    if "pypi" in found:
        url = found["pypi"].full
        # pip passes over an index without encryption, unless it is told that this is meant.
        meant = f"trusted-host = {found['pypi'].place}\n" if found["pypi"].scheme == "http" else ""
        files["pip"] = f"[global]\nindex-url = {url}\n{meant}"
        files["uv"] = f'[[index]]\nurl = "{url}"\ndefault = true\n'
    if "npm" in found:
        npm = found["npm"]._replace(path=found["npm"].path.rstrip("/") + "/")
        lines = [f"registry={npm.public}"]
        if npm.user == TOKEN:
            lines.append(f"//{npm.place}{npm.path}:_authToken={npm.password}")
        elif npm.user:
            pair = base64.b64encode(f"{npm.user}:{npm.password}".encode()).decode()
            lines.append(f"//{npm.place}{npm.path}:_auth={pair}")
        files["npm"] = "\n".join([*lines, ""])
    if "mirror" in found and found["mirror"].user:
        mirror = found["mirror"]
        # apt sends no password over an unencrypted line, unless it is told so.
        files["apt"] = f"machine {mirror.public.rstrip('/')} login {mirror.user} password {mirror.password}\n"
    return files


def problems(settings: t.Mapping[str, t.Any]) -> list[str]:
    """One sentence for each setting of proxy or indexes that cannot be used."""
    checks: list[t.Callable[[], t.Any]] = [
        lambda: _proxy("bootstrap_http_proxy", settings.get("http_proxy")),
        lambda: _proxy("bootstrap_https_proxy", settings.get("https_proxy")),
        lambda: _direct("bootstrap_no_proxy", settings.get("no_proxy")),
        *[lambda kind=kind: index_addresses({kind: settings.get(kind)}) for kind in INDEXES],  # type: ignore[misc]
    ]
    found = []
    for check in checks:
        try:
            check()
        except HubError as exc:
            found.append(exc.message)
    # The second is the first's unless it is said.
    if settings.get("https_proxy") == settings.get("http_proxy"):
        found = [text for text in found if not text.startswith("bootstrap_https_proxy ")]
    return found
