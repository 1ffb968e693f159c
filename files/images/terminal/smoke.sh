# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
#
# Use what was collected, and fail the build where it does not work.
set -eu
PATH=${PATH}:/opt/software/bin
cd "$(mktemp -d)"

# An extension of Python in C, as pip builds it; C++ with its library; and what the compiler is told of the system.
cat >twice.c <<'END'
#include <Python.h>
#include <math.h>
static PyObject *twice(PyObject *self, PyObject *x) { return PyFloat_FromDouble(floor(2.5 * PyFloat_AsDouble(x))); }
static PyMethodDef methods[] = {{"twice", twice, METH_O, ""}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "twice", "", -1, methods};
PyMODINIT_FUNC PyInit_twice(void) { return PyModule_Create(&module); }
END
$(python3 -c 'import sysconfig; print(sysconfig.get_config_var("CC").split()[0])') \
  -O2 -shared -fPIC -o twice.so twice.c -lm
test "$(python3 -c 'import twice; print(twice.twice(3.0))')" = 7.0
printf '#include <iostream>\n#include <thread>\nint main() { std::thread t([] { std::cout << 42; }); t.join(); }\n' >one.cc
c++ -o one one.cc && test "$(./one)" = 42
echo 'int main() { return 7; }' >seven.c
gcc -static -o seven seven.c && { ./seven || test $? = 7; }
nm seven >symbols && ar rc one.a one.cc && strip seven

printf '# Größe\n\n$\\sqrt{x}$ | `code`\n' >text.md
pandoc -o text.tex text.md && grep -q sqrt text.tex
pandoc --pdf-engine=typst -o text.pdf text.md && test "$(head -c 5 text.pdf)" = %PDF-
vim -es -u NONE -c 'syntax on' -c 'normal ihello' -c 'wq! hello.txt' </dev/null && test "$(cat hello.txt)" = hello
test -s /opt/software/share/man/man1/ls.1.gz
