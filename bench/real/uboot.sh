#!/usr/bin/env bash
# U-Boot for QEMU's AArch64 machine. LD links u-boot as PIE with R_AARCH64_RELATIVE
# that U-Boot applies to itself, out of thin archives; EFI programs with -shared;
# u-boot.elf around the raw image.
source "$(dirname "$0")/lib.sh"
linker aarch64-linux-gnu-ld

source_package u-boot src
mk() { make -s -C src O="$work/out" CROSS_COMPILE=aarch64-linux-gnu- LD="$LD" "$@"; }
mk qemu_arm64_defconfig
mk -j"$jobs" u-boot.bin u-boot.elf
boots 'U-Boot 2023.01' qemu-system-aarch64 -M virt -cpu cortex-a57 -nographic -nic none -bios out/u-boot.bin
