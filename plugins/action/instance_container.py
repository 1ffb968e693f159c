# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Controller side of galilean.hub.instance_container: docker_container, with what it replaces set aside."""

from __future__ import annotations

import shlex
import typing as t

from ansible.plugins.action import ActionBase

SPEC: dict[str, t.Any] = {
    "container": {"type": "dict", "required": True},
    "log_dir": {"type": "path", "default": ""},
    "patience": {"type": "int", "default": 60},
    "keep": {"type": "bool", "default": False},
    "stopped": {"type": "str", "default": "true"},
    "state": {"type": "str", "choices": ["present", "settled"], "default": "present"},
    "docker_cli": {"type": "list", "elements": "str", "default": ["docker"]},
}
# Each is called with the docker command as $d, and the container as $n.
LOOK = '$d container inspect "$n-before" >/dev/null 2>&1 && echo before || true'
# The next one is made by then, so that it starts as soon as the former one has stopped.
ASIDE = """
$d rm -f "$n-before" >/dev/null 2>&1
$d stop --time 15 "$n" >/dev/null || exit 1
( {stopped} ) || {{ $d start "$n" >/dev/null; $d rm -f "$n-next" >/dev/null; exit 1; }}
$d rename "$n" "$n-before" && $d rename "$n-next" "$n" || exit 1
$d start "$n" >/dev/null 2>&1 || true
"""
# The command of the health check, until it succeeds; a container that starts again and again does not.
WORKS = """
for i in $(seq {tries}); do
  s=$($d container inspect -f '{{{{.State.Running}}}} {{{{.RestartCount}}}}' "$n" 2>&1) || s="false"
  case "$s" in "true 0"|"true 1"|"true 2") {check} >/dev/null 2>&1 && exit 0 ;; "true "*|*" 3"*) break ;; esac
  sleep 0.5
done
exit 1
"""
WORDS = '$d logs --tail 15 "$n" 2>&1 | tail -n 15'
BACK = '$d rm -f "$n" >/dev/null 2>&1; $d rename "$n-before" "$n" && $d start "$n"'
# What is kept is read by hubctl logs.
SETTLE = """
$d rm -f "$n-next" >/dev/null 2>&1
$d container inspect "$n-before" >/dev/null 2>&1 || exit 0
if [ -n "$l" ]; then
  mkdir -p -m 0750 "$l" && umask 027
  f="$l/$n-$(date -u +%Y%m%dT%H%M%SZ).log.gz"
  $d logs --timestamps "$n-before" 2>&1 | gzip > "$f.part" && mv "$f.part" "$f"
  ls -1t "$l/$n"-*.log.gz | tail -n +6 | while read -r old; do rm -f "$old"; done
fi
$d rm -f "$n-before"
"""


class ActionModule(ActionBase):
    """Ansible's entry point."""

    TRANSFERS_FILES = False

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        self._vars = task_vars
        _checked, args = self.validate_argument_spec(argument_spec=SPEC)
        self._options = dict(args["container"])
        self._name = str(self._options["name"])
        self._docker = shlex.join(args["docker_cli"])
        self._log_dir = args["log_dir"]
        if args["state"] == "settled":
            settled: dict[str, t.Any] = {"rc": 0, "stdout": ""}
            if not self._task.check_mode:
                settled = self._shell(SETTLE)
            done = {"changed": bool(settled["stdout"].strip()), "failed": bool(settled["rc"])}
            return {**result, **done, **({"msg": settled["stderr"]} if settled["rc"] else {})}
        forecast = self._module(check=True)
        left = "before" in self._shell(LOOK)["stdout"]
        if forecast.get("failed") or self._task.check_mode or not (forecast.get("changed") or left):
            return {**result, **forecast}
        replaced = any("removed" in action for action in forecast.get("actions") or [])
        if replaced and not left:
            made = self._module(check=False, name=f"{self._name}-next", state="present")
            if made.get("failed"):
                self._shell('$d rm -f "$n-next"')
                return {**result, **made}
            aside = self._shell(ASIDE.format(stopped=args["stopped"]))
            if aside["rc"]:
                return {
                    **result,
                    "failed": True,
                    "msg": f"{self._name} cannot be set aside: {' '.join(aside['stderr'].split())}",
                }
        done = self._module(check=False)
        if not (replaced or left):
            return {**result, **done}
        problem = done.get("msg", "") if done.get("failed") else self._trouble(args["patience"])
        if not problem and args["keep"]:
            return {**result, **done, "changed": True}
        if not problem:
            settled = self._shell(SETTLE)
            if settled["rc"]:
                problem = f"What {self._name} replaces cannot be removed: {settled['stderr']}"
                return {**result, "failed": True, "msg": problem}
            return {**result, **done, "changed": True}
        words = " | ".join(self._shell(WORDS)["stdout"].split("\n"))
        if args["keep"]:
            message = f"The new container {self._name} does not work. {problem} Its last lines: {words}"
            return {**result, "failed": True, "msg": message}
        back = self._shell(BACK)
        now = (
            "the one before it runs again"
            if not back["rc"]
            else f"neither does the one before: {back['stderr']}"
        )
        return {
            **result,
            "failed": True,
            "msg": f"The new container {self._name} does not work, {now}. {problem} Its last lines: {words}",
        }

    def _module(self, check: bool, **other: str) -> dict[str, t.Any]:
        """docker_container, really or as a forecast."""
        before, self._task.check_mode = self._task.check_mode, check
        # In check mode the image may be one that the run would have built.
        pull = {"pull": "missing"} if before else {}
        try:
            done: dict[str, t.Any] = self._execute_module(
                module_name="community.docker.docker_container",
                module_args={**self._options, **pull, **other},
                task_vars=self._vars,
            )
        finally:
            self._task.check_mode = before
        return done

    def _shell(self, script: str) -> dict[str, t.Any]:
        words = {"d": self._docker, "n": self._name, "l": self._log_dir}
        given = "; ".join(f"{name}={shlex.quote(value)}" for name, value in words.items())
        # The docker command may be several words.
        done: dict[str, t.Any] = self._low_level_execute_command(
            f"/bin/sh -c {shlex.quote(f'{given}; {script}')}"
        )
        return done

    def _trouble(self, patience: int) -> str:
        """What is wrong with the container that was just started."""
        test = [str(word) for word in (self._options.get("healthcheck") or {}).get("test") or []]
        command = shlex.join(test[1:]) if test[:1] == ["CMD"] else ""
        check = f'$d exec "$n" {command}' if command else "true"
        if self._shell(WORKS.format(tries=patience * 2, check=check))["rc"]:
            return f"Its health check did not succeed within {patience} s."
        return ""
