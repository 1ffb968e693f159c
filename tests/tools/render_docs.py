# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Write the reference pages from the specs, so that they cannot say anything else than the code.

docs/roles/<role>.md comes from meta/argument_specs.yml, and docs/README.md lists them. With --check nothing
is written: pages that differ are named, and the exit status is 1. Modules have pages in the documentation
site only (build_docs_site.py).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import typing as t
from pathlib import Path

import yaml

REPO = Path(__file__).resolve().parents[2]
COLLECTION = "galilean.hub"
BEGIN, END = "<!-- generated: begin (make docs) -->", "<!-- generated: end -->"
ORIGIN = "<!-- Written by `make docs`; change the {source} instead. -->"

Doc = t.Mapping[str, t.Any]


def prose(text: t.Any) -> str:
    """Ansible's markup as Markdown."""
    lines = [text] if isinstance(text, str) else list(text or [])
    joined = " ".join(str(line).strip() for line in lines)
    # As Ansible reads it: the first bracket without a backslash ends a markup; only these know backslashes.
    joined = re.sub(r"\b(?:O|V|RV|E|P)\(((?:\\.|[^\\)])*)\)", lambda found: f"`{_plain(found[1])}`", joined)
    joined = re.sub(r"\b(?:C|M)\(([^)]*)\)", r"`\1`", joined)
    joined = re.sub(r"\bB\(([^)]*)\)", r"**\1**", joined)
    joined = re.sub(r"\bI\(([^)]*)\)", r"*\1*", joined)
    joined = re.sub(r"\bL\(([^,)]*),\s*([^)]*)\)", r"[\1](\2)", joined)
    joined = re.sub(r"\bU\(([^)]*)\)", r"<\1>", joined)
    return re.sub(r"\s+", " ", joined).strip()


def _plain(text: str) -> str:
    """What stands inside a markup: without backslashes, and without the plugin that a name belongs to."""
    bare = re.sub(r"\\(.)", r"\1", text)
    return re.sub(r"^[\w.]+#\w+:(?:\w+:)?", "", bare)


def title(doc: Doc) -> str:
    return prose(doc.get("short_description")).rstrip(".")


def cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def code(value: t.Any) -> str:
    """A value as it stands in YAML."""
    if isinstance(value, str):
        shown = (
            value
            if value and not re.match(r"^(true|false|yes|no|on|off|null|[\d.]+)$", value)
            else f'"{value}"'
        )
    else:
        shown = json.dumps(value, ensure_ascii=False)
    return f"`{cell(shown)}`"


def kind(spec: Doc) -> str:
    name = str(spec.get("type", "str"))
    return f"{name} of {spec['elements']}" if spec.get("elements") else name


def remarks(spec: Doc) -> list[str]:
    found = []
    choices = spec.get("choices")
    if isinstance(choices, t.Mapping):
        found.append(" ".join(f"{code(key)}: {prose(text)}" for key, text in choices.items()))
    elif choices:
        found.append("One of " + ", ".join(code(choice) for choice in choices) + ".")
    if spec.get("required"):
        found.append("**Must be given.**")
    if spec.get("no_log"):
        found.append("*Secret.*")
    if spec.get("aliases"):
        found.append("Also called " + ", ".join(code(alias) for alias in spec["aliases"]) + ".")
    return found


def rows(options: Doc, prefix: str = "") -> t.Iterator[str]:
    """Table lines of options, each followed by those of its own options."""
    for name, spec in options.items():
        if name.startswith("_") and name != "_input":
            continue
        default = code(spec["default"]) if spec.get("default") is not None else ""
        text = " ".join([prose(spec.get("description")), *remarks(spec)])
        yield f"| `{prefix}{name}` | {kind(spec)} | {default} | {cell(text)} |"
        inner = spec.get("options") or spec.get("suboptions")
        if inner:
            yield from rows(inner, f"{prefix}{name}{'[]' if spec.get('type') == 'list' else ''}.")


def table(options: Doc) -> str:
    if not options:
        return "None.\n"
    return "\n".join(["| name | type | default | meaning |", "|---|---|---|---|", *rows(options)]) + "\n"


def results(returned: Doc, prefix: str = "") -> t.Iterator[str]:
    for name, spec in (returned or {}).items():
        shown = name if name != "_value" else "(the value)"
        text = cell(prose(spec.get("description")))
        yield f"| `{prefix}{shown}` | {kind(spec)} | {prose(spec.get('returned', ''))} | {text} |"
        if spec.get("contains"):
            yield from results(
                spec["contains"], f"{prefix}{name}{'[]' if spec.get('type') == 'list' else ''}."
            )


def paragraphs(description: t.Any) -> str:
    lines = [description] if isinstance(description, str) else list(description or [])
    return "\n\n".join(prose(line) for line in lines) + "\n"


def roles() -> list[str]:
    return sorted(file.parts[-3] for file in REPO.glob("roles/*/meta/argument_specs.yml"))


def role_entries(role: str) -> dict[str, Doc]:
    data: dict[str, Doc] = yaml.safe_load((REPO / f"roles/{role}/meta/argument_specs.yml").read_text())[
        "argument_specs"
    ]
    return dict(sorted(data.items(), key=lambda entry: entry[0] != "main"))


def role_page(role: str) -> str:
    parts = [f"# Role {role}\n", ORIGIN.format(source=f"argument spec in roles/{role}/meta/") + "\n"]
    entries = role_entries(role)
    for name, entry in entries.items():
        if name != "main":
            parts.append(f"## Entry point {name}\n")
        parts.append(f"{title(entry)}.\n")
        parts.append(paragraphs(entry.get("description")))
        if name == "main":
            parts.append(
                f"How it works, and what it leaves for later roles: [README](../../roles/{role}/README.md).\n"
            )
            parts.append("## Settings\n")
        options = entry.get("options") or {}
        if name != "main" and options.items() <= entries["main"].get("options", {}).items():
            parts.append("Takes the settings of the role.\n")
        else:
            parts.append(table(options))
    return "\n".join(parts)


def module_docs(names: list[str]) -> dict[str, Doc]:
    """What ansible-doc knows: it resolves documentation fragments, too."""
    if not names:
        return {}
    collections = os.environ.get("ANSIBLE_COLLECTIONS_PATH", str(REPO / ".ansible/collections"))
    command = [str(Path(sys.executable).with_name("ansible-doc")), "--json", "--type", "module"]
    done = subprocess.run(
        [*command, *[f"{COLLECTION}.{name}" for name in names]],
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": collections},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(f"ansible-doc failed:\n{done.stderr}")
    data = {name.rsplit(".", 1)[-1]: doc for name, doc in json.loads(done.stdout).items()}
    missing = sorted(set(names) - data.keys())
    if missing:
        raise SystemExit(f"ansible-doc has nothing on {', '.join(missing)}:\n{done.stderr}")
    return data


def module_page(name: str, data: Doc) -> str:
    doc = data["doc"]
    parts = [
        f"# Module {name}\n",
        f"{title(doc)}.\n",
        paragraphs(doc.get("description")),
    ]
    if doc.get("requirements"):
        parts += ["Needs: " + "; ".join(prose(one) for one in doc["requirements"]) + ".\n"]
    parts += ["## Options\n", table(doc.get("options") or {})]
    if doc.get("attributes"):
        parts += ["## Attributes\n", "| attribute | support | |", "|---|---|---|"]
        for key, one in doc["attributes"].items():
            text = " ".join([prose(one.get("description")), prose(one.get("details"))]).strip()
            parts.append(f"| {key} | {one.get('support', '')} | {cell(text)} |")
        parts.append("")
    if doc.get("notes"):
        parts += ["## Notes\n", *[f"- {prose(note)}" for note in doc["notes"]], ""]
    if data.get("examples"):
        parts += ["## Examples\n", f"```yaml\n{data['examples'].strip()}\n```\n"]
    if data.get("return"):
        parts += ["## Results\n", "| name | type | returned | meaning |", "|---|---|---|---|"]
        parts += [*results(data["return"]), ""]
    return "\n".join(parts)


def index() -> str:
    return "\n".join(
        f"- [Role {role}](roles/{role}.md): {title(role_entries(role)['main'])}"
        f" ([how it works](../roles/{role}/README.md))"
        for role in roles()
    )


def pages() -> dict[Path, str]:
    """Every page with the text that it must have."""
    wanted = {REPO / f"docs/roles/{role}.md": role_page(role) for role in roles()}
    contents = REPO / "docs/README.md"
    before, rest = contents.read_text().split(BEGIN, 1)
    wanted[contents] = f"{before}{BEGIN}\n{index()}\n{END}{rest.split(END, 1)[1]}"
    return {path: text.rstrip() + "\n" for path, text in wanted.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--check", action="store_true", help="write nothing, fail when a page is not as it should be"
    )
    check = parser.parse_args().check

    wanted = pages()
    stale = sorted(path for path, text in wanted.items() if not path.exists() or path.read_text() != text)
    orphans = sorted({*REPO.glob("docs/roles/*.md")} - wanted.keys())
    for path in [*stale, *orphans]:
        print(f"{'stale' if check else 'written' if path in wanted else 'removed'}: {path.relative_to(REPO)}")
        if not check and path in wanted:
            path.write_text(wanted[path])
        elif not check:
            path.unlink()
    if check and (stale or orphans):
        print("Run `make docs` and look at what it changed.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
