# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Fail the build when taking the tests out has broken a part that people use."""

from __future__ import annotations

import importlib

PARTS = (
    "numpy.testing", "numpy.f2py", "scipy.stats", "scipy.optimize", "scipy.sparse.linalg", "scipy.signal",
    "pandas.testing", "matplotlib.pyplot", "matplotlib.testing", "mpl_toolkits.mplot3d", "seaborn",
    "sklearn.ensemble", "sklearn.utils.estimator_checks", "openpyxl", "h5py", "ipywidgets", "nbclient",
    "ipykernel.kernelapp", "requests", "tqdm.auto", "pip",
)  # fmt: skip

for part in PARTS:
    importlib.import_module(part)
