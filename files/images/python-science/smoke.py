# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Use each package of requirements.in as people do, without a network, and fail where one does not work.

    smoke.py REQUIREMENTS [NAME ...]

The build, which has left the libraries' own tests out, uses some; the tests use all, in a user's container.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import re
import subprocess
import sys
import tempfile
import time
import typing as t
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

os.environ.update(MPLBACKEND="agg", JUPYTER_PATH="/opt/software/share/jupyter")
USES: dict[str, t.Callable[[], object]] = {}


def use(function: t.Callable[[], object]) -> t.Callable[[], object]:
    """Enter a function under the name of its package: what it returns must be true."""
    USES[function.__name__.removeprefix("use_").replace("_", "-")] = function
    return function


def offline(event: str, arguments: tuple[t.Any, ...]) -> None:
    """Refuse what leads out of the machine."""
    if event != "socket.connect" or not isinstance(arguments[1], tuple):
        return
    if not ipaddress.ip_address(arguments[1][0]).is_loopback:
        raise OSError(errno.ENETUNREACH, "This test has no network")


@use
def use_numpy() -> object:
    import numpy as np
    import numpy.f2py
    import numpy.testing

    numpy.testing.assert_allclose(np.linalg.solve(np.eye(3) * 2, np.ones(3)), 0.5)
    return numpy.f2py and np.fft.rfft(np.ones(8))[0] == 8


@use
def use_scipy() -> object:
    from scipy import integrate, optimize, signal, sparse, stats
    from scipy.sparse.linalg import spsolve

    assert spsolve(sparse.csc_array([[2.0, 0], [0, 4]]), [2.0, 4])[1] == 1
    assert len(signal.butter(2, 0.2)) == 2
    assert stats.ttest_ind([1, 2, 3], [4, 5, 6.5]).pvalue < 0.05
    return optimize.brentq(lambda x: x - 1, 0, 3) == 1 and integrate.quad(lambda x: x, 0, 2)[0] == 2


@use
def use_pandas() -> object:
    import pandas as pd
    import pandas.testing

    table = pd.DataFrame({"a": [1, 2, 2], "b": [0.5, 1.5, 2.5]})
    pandas.testing.assert_frame_equal(table, table.copy())
    # What needs packages that pandas does not require.
    assert "<style" in table.style.background_gradient().to_html()
    assert "tabular" in table.to_latex()
    assert "|---" in table.to_markdown().replace(":", "-")
    for ending, write, read in (
        ("xlsx", table.to_excel, pd.read_excel),
        ("parquet", table.to_parquet, pd.read_parquet),
        ("feather", table.to_feather, pd.read_feather),
    ):
        write(f"table.{ending}")
        assert read(f"table.{ending}")["b"].sum() == 4.5, ending
    table.to_hdf("table.h5", key="table")
    assert pd.read_hdf("table.h5", key="table").equals(table)
    assert pd.read_html(Path(Path("t.html").write_text(table.to_html()) and "t.html"))[0].shape == (3, 3)
    return table.groupby("a").b.mean()[2] == 2


@use
def use_matplotlib() -> object:
    import matplotlib.testing
    import mpl_toolkits.mplot3d
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots()
    axes.plot([1, 2], [2, 1], label=r"$\alpha^2$")
    axes.legend()
    for ending in ("png", "svg", "pdf"):
        figure.savefig(f"figure.{ending}")
    return matplotlib.testing and mpl_toolkits.mplot3d and os.path.getsize("figure.pdf") > 1000


@use
def use_seaborn() -> object:
    import pandas as pd
    import seaborn as sns

    axes = sns.histplot(pd.DataFrame({"x": [1, 2, 2, 3]}), x="x", kde=True)
    return len(axes.patches) > 1


@use
def use_statsmodels() -> object:
    import pandas as pd
    import statsmodels.formula.api as smf
    from statsmodels.tsa.arima.model import ARIMA

    data = pd.DataFrame({"x": [1.0, 2, 3, 4], "y": [2.1, 3.9, 6.0, 8.1]})
    assert "R-squared" in str(smf.ols("y ~ x", data).fit().summary2())
    return ARIMA and 1.9 < smf.ols("y ~ x", data).fit().params["x"] < 2.1


@use
def use_patsy() -> object:
    import patsy

    return patsy.dmatrix("a + b", {"a": [1, 2], "b": [3, 4]}).shape == (2, 3)


@use
def use_scikit_learn() -> object:
    import sklearn.utils.estimator_checks
    from sklearn.datasets import load_iris
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import cross_val_score

    iris = load_iris()
    assert sklearn.utils.estimator_checks
    return cross_val_score(RandomForestClassifier(10), iris.data, iris.target, cv=3).mean() > 0.8


@use
def use_scikit_image() -> object:
    import numpy as np
    from skimage import filters, io, measure

    picture = np.zeros((20, 20), dtype=np.uint8)
    picture[5:10, 5:10] = picture[12:18, 12:18] = 200
    io.imsave("picture.png", picture, check_contrast=False)
    again = io.imread("picture.png")
    return measure.label(again > filters.threshold_otsu(again)).max() == 2


@use
def use_sympy() -> object:
    import sympy as sp

    x = sp.symbols("x")
    assert sp.latex(sp.integrate(sp.sin(x), x)) == r"- \cos{\left(x \right)}"
    return sp.lambdify(x, sp.diff(x**3, x), "numpy")(2) == 12


@use
def use_networkx() -> object:
    import networkx as nx

    nx.draw(nx.path_graph(4))
    return nx.shortest_path_length(nx.path_graph(4), 0, 3) == 3 and nx.pagerank(nx.cycle_graph(4))[0] == 0.25


@use
def use_polars() -> object:
    import polars as pl

    pl.DataFrame({"g": ["a", "b", "a"], "x": [1, 2, 3]}).write_parquet("polars.parquet")
    lazy = pl.scan_parquet("polars.parquet").group_by("g").agg(pl.col("x").sum()).sort("g")
    table = lazy.collect()
    return (
        table["x"].to_list() == [4, 2]
        and table.to_pandas().shape == (2, 2)
        and table.to_arrow().num_rows == 2
    )


@use
def use_pyarrow() -> object:
    import pyarrow as pa
    from pyarrow import compute, csv, dataset, parquet

    parquet.write_table(pa.table({"x": [1, 2, 3]}), "arrow.parquet", compression="zstd")
    assert csv.read_csv(pa.py_buffer(b"a,b\n1,2\n")).num_columns == 2
    return compute.sum(dataset.dataset("arrow.parquet").to_table()["x"]).as_py() == 6


@use
def use_xarray() -> object:
    import numpy as np
    import xarray as xr

    grid = xr.Dataset({"t": (("y", "x"), np.arange(6.0).reshape(2, 3))}, coords={"x": [1, 2, 3]})
    grid.to_netcdf("grid.nc")
    with xr.open_dataset("grid.nc", chunks={"x": 1}) as again:
        return float(again.t.sel(x=2).mean()) == 2.5 and "xr-wrap" in again._repr_html_()


@use
def use_dask() -> object:
    import dask.array
    import dask.dataframe
    import pandas as pd
    from dask.distributed import Client

    with Client(processes=False, n_workers=1, threads_per_worker=2, dashboard_address=None):
        frame = dask.dataframe.from_pandas(pd.DataFrame({"x": range(10)}), npartitions=2)
        return frame.x.sum().compute() == 45 and dask.array.ones((10, 10), chunks=5).sum().compute() == 100


@use
def use_numba() -> object:
    import numba
    import numpy as np

    @numba.njit(parallel=True)
    def total(values: t.Any) -> float:
        out = 0.0
        for number in numba.prange(len(values)):
            out += values[number]
        return out

    return total(np.ones(1000)) == 1000


@use
def use_numexpr() -> object:
    import numexpr
    import numpy as np

    return numexpr.evaluate("a * 2 + 1", {"a": np.arange(3)}).tolist() == [1, 3, 5]


@use
def use_bottleneck() -> object:
    import bottleneck
    import numpy as np

    return bottleneck.nanmean(np.array([1, np.nan, 3])) == 2


@use
def use_cython() -> object:
    # To a source in C; a compiler comes with the terminal's tools.
    from Cython.Build import cythonize

    Path("twice.pyx").write_text("def twice(double x):\n    return 2 * x\n", encoding="utf-8")
    cythonize("twice.pyx", quiet=True, language_level=3)
    return "twice" in Path("twice.c").read_text(encoding="utf-8")


@use
def use_setuptools() -> object:
    import setuptools

    return setuptools.Extension("one", ["one.c"]).name == "one"


@use
def use_openpyxl() -> object:
    import openpyxl

    book = openpyxl.Workbook()
    book.active.append([1, 2])
    book.save("book.xlsx")
    return openpyxl.load_workbook("book.xlsx").active["B1"].value == 2


@use
def use_xlrd() -> object:
    import xlrd

    # It only reads; what is no file of old Excel's is refused.
    try:
        xlrd.open_workbook(file_contents=b"none")
    except xlrd.XLRDError:
        return True
    return False


@use
def use_h5py() -> object:
    import h5py
    import numpy as np

    with h5py.File("data.h5", "w") as file:
        file.create_dataset("x", data=np.arange(100), compression="gzip")
    with h5py.File("data.h5") as file:
        return file["x"][50:].sum() == 3725


@use
def use_tables() -> object:
    import numpy as np
    import tables

    with tables.open_file("pytables.h5", "w") as file:
        file.create_carray("/", "x", obj=np.arange(1000), filters=tables.Filters(5, "blosc2"))
    with tables.open_file("pytables.h5") as file:
        return file.root.x[999] == 999


@use
def use_netcdf4() -> object:
    import netCDF4

    with netCDF4.Dataset("sea.nc", "w") as file:
        file.createDimension("time", None)
        file.createVariable("t", "f8", ("time",))[:] = [1, 2]
    with netCDF4.Dataset("sea.nc") as file:
        return file["t"][:].sum() == 3


@use
def use_lxml() -> object:
    from lxml import etree, html

    assert html.fromstring("<p>one<b>two</b>").xpath("//b/text()") == ["two"]
    return etree.fromstring("<a><b/></a>").tag == "a"


@use
def use_html5lib() -> object:
    import html5lib

    return html5lib.parse("<p>one").find(".//{*}p").text == "one"


@use
def use_beautifulsoup4() -> object:
    from bs4 import BeautifulSoup

    return all(BeautifulSoup("<p>one", parser).p.text == "one" for parser in ("lxml", "html5lib"))


@use
def use_pyyaml() -> object:
    import yaml

    return yaml.load(yaml.dump({"a": [1]}), yaml.CSafeLoader) == {"a": [1]}


@use
def use_protobuf() -> object:
    from google.protobuf import json_format, struct_pb2

    return json_format.MessageToDict(struct_pb2.Value(string_value="one")) == "one"


@use
def use_sqlalchemy() -> object:
    import pandas as pd
    import sqlalchemy

    engine = sqlalchemy.create_engine("sqlite://")
    with engine.connect() as connection:
        pd.DataFrame({"x": [1, 2]}).to_sql("t", connection, index=False)
        return pd.read_sql("select sum(x) as s from t", connection).s[0] == 3


@use
def use_requests() -> object:
    import requests

    # Nothing is sent.
    return (
        requests.Request("GET", "http://localhost/", params={"a": 1}).prepare().url == "http://localhost/?a=1"
    )


@use
def use_jinja2() -> object:
    import jinja2

    return jinja2.Template("{{ a }}").render(a=1) == "1"


@use
def use_tabulate() -> object:
    import tabulate

    return "<table>" in tabulate.tabulate([[1]], tablefmt="html")


@use
def use_plotly() -> object:
    import plotly.express as px
    import plotly.io as pio

    figure = px.scatter(px.data.iris(), x="sepal_width", y="sepal_length", color="species")
    pio.renderers.default = "plotly_mimetype"
    assert "application/vnd.plotly.v1+json" in figure._repr_mimebundle_()
    return "Plotly.newPlot" in figure.to_html(include_plotlyjs=True)


@use
def use_bokeh() -> object:
    from bokeh.embed import file_html
    from bokeh.plotting import figure
    from bokeh.resources import INLINE

    plot = figure(width=200, height=200)
    plot.line([1, 2], [2, 1])
    return "<script src=" not in file_html(plot, INLINE)


@use
def use_ipympl() -> object:
    import matplotlib.pyplot as plt

    before = plt.get_backend()
    plt.switch_backend("module://ipympl.backend_nbagg")
    canvas = plt.figure().canvas
    plt.close("all")
    plt.switch_backend(before)
    return type(canvas).__module__ == "ipympl.backend_nbagg"


@use
def use_ipywidgets() -> object:
    import ipywidgets

    slider = ipywidgets.IntSlider(3)
    return "application/vnd.jupyter.widget-view+json" in slider._repr_mimebundle_()


@use
def use_ipykernel() -> object:
    import ipykernel.kernelapp
    from IPython.core.interactiveshell import InteractiveShell

    return ipykernel.kernelapp and InteractiveShell().run_cell("6 * 7").result == 42


def _notebook() -> t.Any:
    import nbformat

    cells = [nbformat.v4.new_markdown_cell("# One"), nbformat.v4.new_code_cell("x = 6\nprint(x * 7)")]
    cells[1].metadata["tags"] = ["parameters"]
    kernel = {"name": "python-science", "display_name": "science", "language": "python"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


@use
def use_nbclient() -> object:
    from nbclient import NotebookClient

    return NotebookClient(_notebook()).execute().cells[1].outputs[0].text == "42\n"


@use
def use_nbconvert() -> object:
    from nbconvert import HTMLExporter, MarkdownExporter

    assert "<h1" in HTMLExporter().from_notebook_node(_notebook())[0]
    return "# One" in MarkdownExporter().from_notebook_node(_notebook())[0]


@use
def use_papermill() -> object:
    import nbformat
    import papermill

    nbformat.write(_notebook(), "in.ipynb")
    done = papermill.execute_notebook("in.ipynb", "out.ipynb", parameters={"x": 2}, progress_bar=False)
    return any(cell.get("outputs") and cell.outputs[0].text == "42\n" for cell in done.cells)


@use
def use_tqdm() -> object:
    from tqdm.auto import tqdm

    return sum(tqdm(range(4), disable=True)) == 6


@use
def use_cloudpickle() -> object:
    import cloudpickle

    return cloudpickle.loads(cloudpickle.dumps(lambda x: x + 1))(1) == 2


@use
def use_dill() -> object:
    import dill

    return dill.loads(dill.dumps(lambda x: x + 1))(1) == 2


@use
def use_pip() -> object:
    import pip

    said = subprocess.run(
        [sys.executable, "-m", "pip", "--version"], capture_output=True, text=True, check=True
    )
    return pip.__version__ in said.stdout


def run(name: str) -> tuple[str, float, str]:
    """One package in a process and a folder of its own: its name, seconds, and what went wrong."""
    sys.addaudithook(offline)
    warnings.simplefilter("ignore")
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            wrong = "" if USES[name]() else "it gives another result"
        except BaseException as exc:  # an exit is no success either
            wrong = f"{type(exc).__name__}: {exc}"
        os.chdir("/")
    return name, time.monotonic() - began, wrong


def main() -> None:
    listed = Path(sys.argv[1]).read_text(encoding="utf-8")
    wanted = {re.split(r"[\[=<> ]", line)[0] for line in listed.splitlines() if line and line[0] != "#"}
    assert wanted == set(USES), f"not in both requirements.in and here: {sorted(wanted ^ set(USES))}"
    # One process a package: none finds what another has imported. The slow ones come first.
    names = sys.argv[2:] or sorted(
        USES, key=lambda name: name not in ("numba", "dask", "statsmodels", "papermill")
    )
    with ProcessPoolExecutor(os.process_cpu_count(), max_tasks_per_child=1) as pool:
        results = list(pool.map(run, names))
    for name, seconds, wrong in results:
        print(f"{name:<16} {seconds:5.1f} s  {wrong or 'works'}")
    if any(wrong for _name, _seconds, wrong in results):
        sys.exit(1)


if __name__ == "__main__":
    main()
