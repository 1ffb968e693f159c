// SPDX-FileCopyrightText: 2026 galilean.hub contributors
// SPDX-License-Identifier: BSD-3-Clause
//
// Stands in for Plotly's own extension, which lies beside it unchanged: it is fetched when the first plot is to be shown.
"use strict";

(() => {
  const NAME = "jupyterlab-plotly";
  const MIME = "application/vnd.plotly.v1+json";
  const here = document.currentScript.src;
  let shared;
  let fetched;

  // Plotly's own way in takes the place of this one under the same name.
  const fetchOwn = async () => {
    await new Promise((done, failed) => {
      const script = document.createElement("script");
      script.src = new URL("REMOTE_ENTRY", here).href;
      script.onload = done;
      script.onerror = () => failed(new Error("Plotly's part of the page could not be fetched: is the server running?"));
      document.head.append(script);
    });
    const own = window._JUPYTERLAB[NAME];
    await own.init(shared);
    const module = (await own.get("./mimeExtension"))();
    return [module.default].flat()[0].rendererFactory;
  };
  const factory = () =>
    (fetched ??= fetchOwn().catch((error) => {
      // The next plot tries again.
      fetched = undefined;
      throw error;
    }));

  const load = async (name) => (await Object.values(shared[name])[0].get())();

  const extension = async () => {
    const { Panel } = await load("@lumino/widgets");
    class LazyPlot extends Panel {
      constructor(options) {
        super();
        this.options = options;
      }
      async renderModel(model) {
        this.own ??= factory().then((made) => {
          const plot = made.createRenderer(this.options);
          this.addWidget(plot);
          return plot;
        });
        await (await this.own).renderModel(model);
      }
    }
    return {
      id: `${NAME}:lazy`,
      rendererFactory: { safe: true, mimeTypes: [MIME], createRenderer: (options) => new LazyPlot(options) },
      rank: 2,
      dataType: "json",
      fileTypes: [{ name: "plotly", mimeTypes: [MIME], extensions: [".plotly", ".plotly.json"] }],
      documentWidgetFactoryOptions: {
        name: "Plotly",
        primaryFileType: "plotly",
        fileTypes: ["plotly", "json"],
        defaultFor: ["plotly"],
      },
    };
  };

  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB[NAME] = {
    init: (scope) => {
      shared = scope;
    },
    get: async () => {
      const made = await extension();
      return () => ({ __esModule: true, default: made });
    },
  };
})();
