#!/usr/bin/env bash
# SeaBIOS. LD joins objects with -r and links three images by scripts that the
# build writes after a first look at the sections.
source "$(dirname "$0")/lib.sh"
linker ld

source_package seabios src
rm -rf src/out
make -s -C src LD="$LD" PYTHON=python3 EXTRAVERSION=-here
boots 'SeaBIOS (version .*-here)' qemu-system-x86_64 -nographic -nic none -bios src/out/bios.bin
