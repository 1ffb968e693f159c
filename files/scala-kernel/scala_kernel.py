# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The kernel "Scala (Spark)": Jupyter's protocol here, Scala's interpreter with Spark in a JVM of its own.

No maintained Scala kernel can be had for this Spark, so this is a small one. The two sides talk over a pair
of pipes, so no port is open for it. A message is a list of texts: their number, then each with its length
before it.
"""

from __future__ import annotations

import asyncio
import codecs
import collections
import contextlib
import os
import signal
import struct
import subprocess
import sys
import threading
import typing as t

from ipykernel.kernelapp import IPKernelApp
from ipykernel.kernelbase import Kernel

HERE = os.path.dirname(os.path.abspath(__file__))
SUBMIT = os.path.join(os.path.dirname(HERE), "packages", "pyspark", "bin", "spark-submit")
BRIDGE = os.path.join(HERE, "bridge.jar")
# What the JVM itself says (not the cells): kept for the case that it ends by itself.
KEPT_LINES = 20


class Stopped(Exception):
    """The JVM has ended."""


class Jvm:
    """One JVM with Scala's interpreter, and the messages that come from it, in order."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.messages: asyncio.Queue[list[bytes] | None] = asyncio.Queue()
        self.said: collections.deque[str] = collections.deque(maxlen=KEPT_LINES)
        self.writing = threading.Lock()
        # The JVM opens the ends that it inherits by name.
        its_in, self.to_jvm = os.pipe()
        self.from_jvm, its_out = os.pipe()
        argv = [SUBMIT, "--class", "galilean.Bridge", "--driver-class-path", BRIDGE, "spark-internal"]
        argv += [f"/dev/fd/{its_in}", f"/dev/fd/{its_out}", BRIDGE]
        self.process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(its_in, its_out),
            # Ctrl-C of a terminal and the signals for this process are not for the JVM.
            start_new_session=True,
        )
        os.close(its_in)
        os.close(its_out)
        threading.Thread(target=self.listen, daemon=True).start()
        threading.Thread(target=self.overhear, daemon=True).start()

    def listen(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed
            with open(self.from_jvm, "rb") as stream, contextlib.suppress(EOFError):
                while True:
                    message = [self.part(stream) for _ in range(self.number(stream))]
                    self.loop.call_soon_threadsafe(self.messages.put_nowait, message)
            self.loop.call_soon_threadsafe(self.messages.put_nowait, None)

    @staticmethod
    def number(stream: t.BinaryIO) -> int:
        data = stream.read(4)
        if len(data) < 4:
            raise EOFError
        return int(struct.unpack(">i", data)[0])

    def part(self, stream: t.BinaryIO) -> bytes:
        wanted = self.number(stream)
        data = stream.read(wanted)
        if len(data) < wanted:
            raise EOFError
        return data

    def overhear(self) -> None:
        assert self.process.stdout is not None
        for line in codecs.getreader("utf-8")(self.process.stdout, errors="replace"):
            self.said.append(line)
            sys.__stderr__.write(line)
            sys.__stderr__.flush()

    def send(self, *parts: str) -> None:
        encoded = [part.encode() for part in parts]
        message = struct.pack(">i", len(encoded))
        message += b"".join(struct.pack(">i", len(part)) + part for part in encoded)
        with self.writing, contextlib.suppress(BrokenPipeError):  # its end is told by the other pipe
            view = memoryview(message)
            while view:
                view = view[os.write(self.to_jvm, view) :]

    async def next(self) -> list[bytes]:
        message = await self.messages.get()
        if message is None:
            raise Stopped
        return message

    def why(self) -> str:
        """Why it has ended, as far as can be known."""
        code = self.process.wait()
        if code in (-signal.SIGKILL, 128 + signal.SIGKILL):
            reason = "It was killed, most likely because the server's memory is used up."
        else:
            reason = f"It ended with code {code}."
        return f"The JVM has stopped. {reason} The next cell starts a new one.\n" + "".join(self.said)

    def close(self) -> None:
        """Let it stop Spark, but do not wait for long."""
        with contextlib.suppress(OSError):
            os.close(self.to_jvm)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class ScalaKernel(Kernel):
    implementation = "galilean-scala"
    implementation_version = "1"
    banner = "Scala with Spark: spark and sc are made when they are first used."
    language_info: t.ClassVar[dict[str, t.Any]] = {
        "name": "scala",
        "version": "2.13",
        "mimetype": "text/x-scala",
        "file_extension": ".scala",
        "pygments_lexer": "scala",
        "codemirror_mode": "text/x-scala",
    }

    def __init__(self, **kwargs: t.Any) -> None:
        super().__init__(**kwargs)
        self.jvm: Jvm | None = None
        self.ready = False
        self.asked = 0
        self.decoders: dict[str, codecs.IncrementalDecoder] = {}

    def start(self) -> None:
        super().start()
        # So that it is there when the first cell is run.
        self.io_loop.add_callback(self.launch)

    def launch(self) -> Jvm:
        if self.jvm is None:
            self.jvm = Jvm(asyncio.get_running_loop())
            self.ready = False
        return self.jvm

    async def connected(self) -> Jvm:
        jvm = self.launch()
        while not self.ready:
            message = await jvm.next()
            self.show(message)
            self.ready = message[0] == b"ready"
        return jvm

    def show(self, message: list[bytes]) -> None:
        """Pass an output of the JVM on to the notebook."""
        kind, *parts = message
        if kind == b"stream":
            name = parts[0].decode()
            decoder = self.decoders.setdefault(name, codecs.getincrementaldecoder("utf-8")("replace"))
            self.output("stream", {"name": name, "text": decoder.decode(parts[1])})
        elif kind == b"display":
            mime, data = (part.decode() for part in parts)
            self.output("display_data", {"data": {mime: data, "text/plain": f"<{mime}>"}, "metadata": {}})
        elif kind == b"result":
            content = {"data": {"text/plain": parts[0].decode()}, "metadata": {}}
            self.output("execute_result", {**content, "execution_count": self.execution_count})
        elif kind == b"error":
            self.output("error", self.failure(*(part.decode() for part in parts)))
        elif kind == b"broken":
            self.output("stream", {"name": "stderr", "text": parts[0].decode()})

    def output(self, kind: str, content: dict[str, t.Any]) -> None:
        self.send_response(self.iopub_socket, kind, content)

    @staticmethod
    def failure(name: str, value: str, text: str) -> dict[str, t.Any]:
        return {"ename": name, "evalue": value, "traceback": text.splitlines()}

    async def ask(self, kind: str, answer: bytes, *parts: str) -> tuple[list[bytes], list[list[bytes]]]:
        """Send a request; return its answer, and the error messages on the way."""
        jvm = await self.connected()
        self.asked += 1
        number = str(self.asked)
        jvm.send(kind, number, *parts)
        errors = []
        while True:
            message = await jvm.next()
            if message[0] == answer and message[1] == number.encode():
                return message[2:], errors
            if message[0] == b"error":
                errors.append(message)
            self.show(message)

    def lost(self) -> str:
        """The JVM is gone: say why, and have a new one the next time."""
        jvm, self.jvm = self.jvm, None
        assert jvm is not None
        reason = jvm.why()
        jvm.close()
        return reason

    async def do_execute(
        self,
        code: str,
        silent: bool,
        store_history: bool = True,
        user_expressions: dict[str, t.Any] | None = None,
        allow_stdin: bool = False,
        **_more: t.Any,
    ) -> dict[str, t.Any]:
        done: dict[str, t.Any] = {"status": "ok", "payload": [], "user_expressions": {}}
        try:
            if code.strip():
                (status,), errors = await self.ask("execute", b"done", code)
                if status != b"ok":
                    done = {"status": "error", **self.failure(*(part.decode() for part in errors[-1][1:]))}
        except Stopped:
            failure = self.failure("JvmStopped", "The JVM has stopped.", self.lost())
            self.output("error", failure)
            done = {"status": "error", **failure}
        return {**done, "execution_count": self.execution_count}

    async def do_complete(self, code: str, cursor_pos: int) -> dict[str, t.Any]:
        # The JVM counts some characters (emoji) twice.
        units = code.encode("utf-16-le")
        position = len(code[:cursor_pos].encode("utf-16-le")) // 2
        try:
            (start, *found), _ = await self.ask("complete", b"matches", code, str(position))
        except Stopped:
            self.lost()
            start, found = str(position).encode(), []
        begin = len(units[: 2 * int(start)].decode("utf-16-le", "ignore"))
        matches = [match.decode() for match in found]
        answer = {"matches": matches, "cursor_start": begin, "cursor_end": cursor_pos, "metadata": {}}
        return {**answer, "status": "ok"}

    async def do_is_complete(self, code: str) -> dict[str, t.Any]:
        try:
            (status,), _ = await self.ask("check", b"checked", code)
        except Stopped:
            self.lost()
            status = b"unknown"
        return {"status": status.decode(), **({"indent": "  "} if status == b"incomplete" else {})}

    async def interrupt_request(self, stream: t.Any, ident: t.Any, parent: dict[str, t.Any]) -> None:
        # Runs beside the cell, in the thread of the control channel.
        if self.jvm is not None:
            self.jvm.send("interrupt")
        self.session.send(stream, "interrupt_reply", {"status": "ok"}, parent, ident=ident)

    # A signal while a cell runs is ignored as well (see below); these would have it raise an exception.
    def pre_handler_hook(self) -> None:
        pass

    def post_handler_hook(self) -> None:
        pass

    def do_shutdown(self, restart: bool) -> dict[str, t.Any]:
        if self.jvm is not None:
            self.jvm.close()
        return {"status": "ok", "restart": restart}


if __name__ == "__main__":
    # Interrupts come as messages. A signal would end this process at any place.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    IPKernelApp.launch_instance(kernel_class=ScalaKernel)
