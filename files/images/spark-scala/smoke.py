# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Fail the build when taking things out has broken a part that people use."""

from __future__ import annotations

import importlib
import typing as t

import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql import functions as f

PARTS = (
    "matplotlib.pyplot", "pyspark.ml.regression", "pyspark.sql.streaming", "pyspark.pandas",
    "pyarrow.parquet", "ipykernel.kernelapp", "pip",
)  # fmt: skip

for part in PARTS:
    importlib.import_module(part)

spark = SparkSession.builder.config("spark.sql.shuffle.partitions", 1).getOrCreate()
table = spark.range(1, 101, 1, 1).withColumn("twice", 2.0 * f.col("id"))


@f.pandas_udf("double")
def halved(column: pd.Series) -> pd.Series:
    return column / 2


# Java's libraries in C: of the codecs, and the database of streams with state.
for codec in ("snappy", "zstd", "lz4_raw"):
    table.write.mode("overwrite").option("compression", codec).parquet(f"/tmp/smoke/{codec}")
    assert spark.read.parquet(f"/tmp/smoke/{codec}").select(f.sum(halved("twice"))).first()[0] == 5050
java: t.Any = spark._jvm
java.org.rocksdb.RocksDB.loadLibrary()
assert spark.createDataFrame(pd.DataFrame({"x": [1, 2]})).pandas_api().x.sum() == 3
spark.stop()
