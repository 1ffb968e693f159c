# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Fails the build when a package cannot find a library or a file that was left out.
for (package in unlist(lapply(.libPaths(), list.files))) {
  suppressWarnings(loadNamespace(package))
}
stopifnot(capabilities("cairo"), identical(getOption("bitmapType"), "cairo"))
size <- function(device, ...) {
  file <- tempfile()
  device(file, ...)
  print(ggplot2::ggplot(cars, ggplot2::aes(speed, dist)) + ggplot2::geom_point())
  dev.off()
  file.size(file)
}
stopifnot(size(png) > 5000, size(svg) > 5000, size(cairo_pdf) > 2000, size(svglite::svglite) > 2000)
stopifnot(all.equal(solve(diag(2, 3)), diag(0.5, 3)), grepl("openblas", extSoftVersion()[["BLAS"]]), !is.na(as.POSIXct("2026-01-01", tz = "Europe/Rome")))
