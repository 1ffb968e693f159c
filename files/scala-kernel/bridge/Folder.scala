// SPDX-FileCopyrightText: 2026 galilean.hub contributors
// SPDX-License-Identifier: BSD-3-Clause
// Spark's helper for temporary folders is open to its own packages only.
package org.apache.spark.util

import org.apache.spark.SparkConf

object GalileanFolder {

  /** A folder for compiled cells, which goes when the JVM ends. */
  def make(): String = Utils.createTempDir(Utils.getLocalDir(new SparkConf), "cells").getAbsolutePath
}
