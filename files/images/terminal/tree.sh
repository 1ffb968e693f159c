# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
#
# Make a tree of Debian's packages that works from its own place, and the commands that lead to it.
set -eu

software=/opt/software
tree=${software}/terminal

for package in /var/cache/apt/archives/*.deb; do
  dpkg-deb --fsys-tarfile "${package}" | tar -x -C ${tree}
done
# Manual pages, in English only.
for package in /build/pages/*.deb; do
  dpkg-deb --fsys-tarfile "${package}" | tar -x -C ${tree} --wildcards './usr/share/man/man*' 2>/dev/null || true
done
mkdir ${software}/share
mv ${tree}/usr/share/man ${software}/share/man
find ${software}/share/man -mindepth 1 -maxdepth 1 -type d -not -name 'man[1-9]' -exec rm -rf {} +
# With an index: apropos needs it, and man says that it is missing.
makewhatis ${software}/share/man

cd ${tree}/usr
# Out: sanitizers, link-time optimization, profiling, Python's own library (extensions need its headers only), manuals.
find share -mindepth 1 -maxdepth 1 -not -name vim -exec rm -rf {} +
rm -rf ../etc ../var share/vim/vim91/doc share/vim/vim91/lang share/vim/vim91/spell share/vim/vim91/tutor share/vim/vim91/print \
  lib/python3.13 lib/*/libpython3.13* lib/*/pkgconfig/python* bin/python* bin/*gprof* lib/*/gprofng lib/*/libgprofng* \
  lib/*/lib?san.* lib/*/libhwasan.* lib/*/libubsan.* lib/gcc/*/*/lib*san* bin/*lto-dump* \
  libexec/gcc/*/*/lto1 libexec/gcc/*/*/g++-mapper-server
# Links to places of the system: into the tree, to what the base has, or to what was left out.
for link in $(find . -type l -lname '/*'; find . -xtype l -not -lname '/*'); do
  target=$(readlink "${link}")
  if [ -e "${tree}${target}" ]; then ln -sf "${tree}${target}" "${link}"; continue; fi
  found=$(ls /usr/lib/*-linux-gnu/"${target##*/}" 2>/dev/null || true)
  if [ -n "${found}" ]; then ln -sf "${found}" "${link}"; else rm "${link}"; fi
done
# The compilers' root is the tree; what they link with is the system's.
ln -s /usr/lib "${tree}/lib"
ln -s /lib64 "${tree}/lib64"
# Programs find their libraries in the tree; nobody else does.
libraries=$(dirname "$(ls ${tree}/usr/lib/*-linux-gnu/libisl.so.23)")
for program in bin/* libexec/gcc/*/*/*; do
  if [ -f "${program}" ] && [ ! -L "${program}" ] && patchelf --print-needed "${program}" >/dev/null 2>&1; then
    patchelf --force-rpath --set-rpath "${libraries}" "${program}"
  fi
done

# Commands. Compilers are told of Python's headers; the others are what they are.
cd ${software}/bin
for program in ${tree}/usr/bin/*-linux-gnu-*; do
  name=${program##*/}
  plain=$(echo "${name}" | sed 's/^[a-z0-9_]*-linux-gnu-//')
  case ${plain} in
    gcc | g++ | cpp) ln -s ../terminal/bin/compiler "${name}"; ln -s ../terminal/bin/compiler "${plain}" ;;
    *-14 | python*) ;;
    *) ln -s "../terminal/usr/bin/${name}" "${name}"; ln -s "../terminal/usr/bin/${name}" "${plain}" ;;
  esac
done
ln -s ../terminal/bin/compiler cc
ln -s ../terminal/bin/compiler c++
ln -s ../terminal/python/pypandoc/files/pandoc pandoc
chmod 755 ${tree}/python/pypandoc/files/pandoc
ln -s ../terminal/usr/bin/xxd xxd
ln -s vim vi
ln -s vim vimdiff
python3 -m compileall -q --invalidation-mode unchecked-hash ${tree}/python
find ${software} -exec touch --no-dereference --date=@1767225600 {} +
