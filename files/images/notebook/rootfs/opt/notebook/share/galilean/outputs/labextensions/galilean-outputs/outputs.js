// SPDX-FileCopyrightText: 2026 galilean.hub contributors
// SPDX-License-Identifier: BSD-3-Clause
//
// Shows in notebooks what their cells have put out while this page was not there: reloaded, closed, or without a network.
// The server keeps it (keptoutputs.py) until a page says that it has shown all of it and has saved the notebook.
// An extension that needs no build.
"use strict";

(() => {
  const tools = () => window._JUPYTERLAB["galilean-notices"].tools;
  const NAME = "galilean-outputs";

  // Milliseconds between two saves of ours.
  const PAUSE = 10_000;

  const message = (kind, content) => ({ header: { msg_type: kind, msg_id: "" }, parent_header: {}, content, metadata: {} });

  // What a cell's output takes for the execution that it belongs to. JupyterLab makes one only for what it asks itself.
  const future = (kernel, id) => {
    let finish;
    const done = new Promise((resolve) => (finish = resolve));
    const made = {
      msg: { header: { msg_id: id } },
      done,
      finish,
      isDisposed: false,
      hook: null,
      registerMessageHook: (hook) => (made.hook = hook),
      removeMessageHook: (hook) => (made.hook = made.hook === hook ? null : made.hook),
      sendInputReply: (content, parent) => kernel.sendInputReply(content, parent),
      dispose: () => {
        made.isDisposed = true;
        made.onIOPub = made.onReply = made.onStdin = () => {};
      },
    };
    made.dispose();
    made.isDisposed = false;
    return made;
  };

  // Files of old formats have no ids for their cells: they have others after each reload.
  const cellOf = (cells, run) => {
    const code = cells.filter((cell) => cell.model.type === "code");
    const same = code.filter((cell) => cell.model.sharedModel.getSource() === run.code);
    return code.find((cell) => cell.model.id === run.cell) || (same.length === 1 ? same[0] : undefined);
  };

  const show = (cell, running, run) => {
    const area = cell.outputArea;
    cell.model.trusted = true;
    area.model.clear();
    for (const output of run.outputs) running.onIOPub(message(output.output_type, output));
    if (run.clear) running.onIOPub(message("clear_output", { wait: true }));
  };

  class Watch {
    constructor(panel) {
      this.panel = panel;
      this.kernel = null;
      // Futures of ours, by the message that they belong to; and the ends that this page has seen.
      this.restored = new Map();
      this.ended = new Set();
      this.last = Promise.resolve();
      panel.sessionContext.kernelChanged.connect(() => this.follow());
      panel.context.saveState.connect((_, state) => state === "completed" && void this.saved());
      this.follow();
    }

    follow() {
      const kernel = this.panel.sessionContext.session?.kernel || null;
      if (kernel === this.kernel || this.panel.isDisposed) return;
      this.kernel = kernel;
      this.restored.clear();
      if (!kernel) return;
      kernel.iopubMessage.connect((_, heard) => this.heard(heard));
      kernel.connectionStatusChanged.connect((_, status) => status === "connected" && this.fetch(kernel));
      kernel.statusChanged.connect((_, status) => {
        if (/restarting|dead/.test(status)) for (const ours of this.restored.values()) this.end(ours);
      });
      this.fetch(kernel);
    }

    cells() {
      return this.panel.content.widgets;
    }

    heard(heard) {
      const { header, content } = heard;
      const id = heard.parent_header.msg_id;
      const ours = this.restored.get(id);
      if (ours && header.msg_type === "execute_input") ours.count = content.execution_count;
      const isNew = !ours?.hook || ours.hook(heard);
      if (ours && isNew) ours.onIOPub(heard);
      if (!isNew || header.msg_type !== "status" || content.execution_state !== "idle") return;
      if (ours) this.end(ours);
      else if (this.cells().some((cell) => cell.outputArea?.future?.msg.header.msg_id === id)) this.ended.add(id);
    }

    // One of ours has ended.
    end(ours) {
      const { id, cell, count, finish } = ours;
      this.restored.delete(id);
      this.ended.add(id);
      if (count) cell.model.executionCount = count;
      else cell.model.executionState = "idle";
      finish();
    }

    // What a cell shows now and that has not ended.
    running(cell) {
      const future = cell.outputArea?.future;
      return future && !future.isDisposed && !this.ended.has(future.msg.header.msg_id) ? future : null;
    }

    // One after the other.
    fetch(kernel) {
      this.last = this.last.then(() => this.update(kernel)).catch((error) => console.error(error));
    }

    async update(kernel) {
      await this.panel.context.ready;
      // What comes before the answer waits: some of it is in the answer, too.
      const held = new Map();
      for (const running of this.cells().map((cell) => this.running(cell)).filter(Boolean)) {
        const messages = [];
        const hook = (heard) => messages.push(heard) < 0;
        running.registerMessageHook(hook);
        held.set(running.msg.header.msg_id, { running, messages, hook });
      }
      const answer = await tools().ask(`outputs?kernel=${kernel.id}`);
      for (const run of this.kernel === kernel ? answer?.runs || [] : []) {
        const cell = cellOf(this.cells(), run);
        if (cell?.outputArea && !this.ended.has(run.id)) this.take(kernel, cell, run, held.get(run.id));
        held.delete(run.id);
      }
      // What the server knows nothing of goes on as it was.
      for (const { running, messages, hook } of held.values()) {
        running.removeMessageHook(hook);
        for (const heard of messages) running.onIOPub(heard);
      }
    }

    take(kernel, cell, run, held) {
      let running = held?.running;
      if (!running) {
        // This page has asked for something newer.
        if (this.running(cell)) return;
        running = future(kernel, run.id);
        this.restored.set(run.id, Object.assign(running, { id: run.id, cell }));
        cell.outputArea.future = running;
        cell.model.executionCount = null;
        cell.model.executionState = "running";
      }
      const known = new Set(run.recent);
      const isNew = (heard) => !known.has(heard.header.msg_id);
      if (held) running.removeMessageHook(held.hook);
      running.registerMessageHook(isNew);
      show(cell, running, run);
      const later = (held?.messages || []).filter(isNew);
      for (const heard of later) running.onIOPub(heard);
      const idle = (one) => one.header.msg_type === "status" && one.content.execution_state === "idle";
      const over = run.done || later.some(idle);
      const ours = this.restored.get(run.id);
      if (ours) {
        ours.count = run.count ?? ours.count;
        if (over) this.end(ours);
      } else if (run.done) {
        this.finish(running, run);
      }
    }

    // JupyterLab waits for an answer that may never come again, and with it the cells behind this one.
    finish(running, run) {
      const parent = { msg_id: run.id };
      const reply = { status: run.status, execution_count: run.count, ename: "", evalue: "", traceback: [] };
      void running.handleMsg({ ...message("execute_reply", reply), parent_header: parent, channel: "shell" });
      const idle = message("status", { execution_state: "idle" });
      void running.handleMsg({ ...idle, parent_header: parent, channel: "iopub" });
      this.ended.add(run.id);
    }

    // A cell that runs is found again after a reload only if the file has it. Who saves by hand goes on doing so.
    async scheduled(settings) {
      const { context } = this.panel;
      if (!context.model.dirty || Date.now() < (this.next || 0)) return;
      this.next = Date.now() + PAUSE;
      const autosave = (await settings?.get("@jupyterlab/docmanager-extension:plugin", "autosave"))?.composite;
      if (autosave !== false && !context.model.readOnly) await context.save();
    }

    async saved() {
      const shown = this.cells()
        .map((cell) => cell.outputArea?.future?.msg.header.msg_id)
        .filter((id) => id && this.ended.has(id) && !this.told?.has(id));
      if (!shown.length || !this.kernel) return;
      this.told = new Set([...(this.told || []), ...shown]);
      await tools().post("outputs", { kernel: this.kernel.id, shown });
    }
  }

  const plugin = async () => {
    const { load } = tools();
    const [{ INotebookTracker, NotebookActions }, { ISettingRegistry }] = await Promise.all([
      load("@jupyterlab/notebook"),
      load("@jupyterlab/settingregistry"),
    ]);
    return {
      id: `${NAME}:plugin`,
      description: "Shows what cells have put out while their page was not there.",
      autoStart: true,
      requires: [INotebookTracker],
      optional: [ISettingRegistry],
      activate: (app, tracker, settings) => {
        const watches = new Map();
        const follow = (panel) => {
          watches.set(panel.content, new Watch(panel));
          panel.disposed.connect(() => watches.delete(panel.content));
        };
        tracker.forEach(follow);
        tracker.widgetAdded.connect((_, panel) => follow(panel));
        NotebookActions.executionScheduled.connect((_, { notebook }) => {
          void watches.get(notebook)?.scheduled(settings).catch((error) => console.error(error));
        });
      },
    };
  };

  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB[NAME] = {
    init: () => {},
    get: async () => {
      const made = await plugin();
      return () => ({ __esModule: true, default: made });
    },
  };
})();
