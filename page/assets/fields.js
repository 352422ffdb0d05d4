// The fields of the headers, by the gABI: name, size in ELFCLASS32 and in
// ELFCLASS64, what it is, and where a value points: "file", "virtual",
// "physical". A word "A" is as wide as an address.

const FILE = 0, VIRTUAL = 1, PHYSICAL = 2;

const headerFields = {
  ehdr: [
    ["e_ident", 16, 16, "magic, class, byte order, version, OS ABI"],
    ["e_type", 2, 2, "kind of file"],
    ["e_machine", 2, 2, "machine"],
    ["e_version", 4, 4, "version of the format, 1"],
    ["e_entry", 4, 8, "address of the first instruction", VIRTUAL],
    ["e_phoff", 4, 8, "file offset of the program header table", FILE],
    ["e_shoff", 4, 8, "file offset of the section header table", FILE],
    ["e_flags", 4, 4, "flags of the machine"],
    ["e_ehsize", 2, 2, "size of this header"],
    ["e_phentsize", 2, 2, "size of a program header"],
    ["e_phnum", 2, 2, "number of program headers; 0xffff: see section header 0"],
    ["e_shentsize", 2, 2, "size of a section header"],
    ["e_shnum", 2, 2, "number of section headers; 0: see section header 0"],
    ["e_shstrndx", 2, 2, "section that holds the sections' names"],
  ],
  phdr32: [
    ["p_type", 4, 4, "what the header is for"],
    ["p_offset", 4, 4, "where its bytes are in the file", FILE],
    ["p_vaddr", 4, 4, "where it is in memory", VIRTUAL],
    ["p_paddr", 4, 4, "where it is in physical memory, for who loads without address translation", PHYSICAL],
    ["p_filesz", 4, 4, "bytes in the file"],
    ["p_memsz", 4, 4, "bytes in memory; those beyond p_filesz are zero"],
    ["p_flags", 4, 4, "1 execute, 2 write, 4 read"],
    ["p_align", 4, 4, "p_vaddr and p_offset are equal modulo this"],
  ],
  phdr64: [
    ["p_type", 4, 4, "what the header is for"],
    ["p_flags", 4, 4, "1 execute, 2 write, 4 read"],
    ["p_offset", 8, 8, "where its bytes are in the file", FILE],
    ["p_vaddr", 8, 8, "where it is in memory", VIRTUAL],
    ["p_paddr", 8, 8, "where it is in physical memory, for who loads without address translation", PHYSICAL],
    ["p_filesz", 8, 8, "bytes in the file"],
    ["p_memsz", 8, 8, "bytes in memory; those beyond p_filesz are zero"],
    ["p_align", 8, 8, "p_vaddr and p_offset are equal modulo this"],
  ],
  shdr: [
    ["sh_name", 4, 4, "offset of the name in the section name string table"],
    ["sh_type", 4, 4, "what the section holds"],
    ["sh_flags", 4, 8, "1 write, 2 in memory, 4 execute, 0x10 merge, 0x20 strings, 0x400 thread-local, 0x800 compressed"],
    ["sh_addr", 4, 8, "where it is in memory; 0 if it is not", VIRTUAL],
    ["sh_offset", 4, 8, "where its bytes are in the file", FILE],
    ["sh_size", 4, 8, "its size; SHT_NOBITS has none of it in the file"],
    ["sh_link", 4, 4, "a section it depends on, by type"],
    ["sh_info", 4, 4, "more, by type"],
    ["sh_addralign", 4, 8, "alignment of its address"],
    ["sh_entsize", 4, 8, "size of an entry, for tables"],
  ],
};

// Sizes of the structures that tables are made of.
const structSize = (kind, bits) => layout(kind, bits).reduce((n, f) => n + f[bits === 64 ? 2 : 1], 0);

function layout(kind, bits) {
  return headerFields[kind === "phdr" ? "phdr" + bits : kind];
}

// readFields takes a structure apart: name, offset in the structure, size,
// value, what it is, where it points. Of a structure that is cut off, the
// fields that are there.
function readFields(kind, bits, big, raw) {
  const out = [];
  let off = 0;
  for (const [name, s32, s64, about, points] of layout(kind, bits)) {
    const size = bits === 64 ? s64 : s32;
    if (off + size > raw.length) break;
    let value = 0n;
    for (let i = 0; i < size && size <= 8; i++) {
      value = (value << 8n) | BigInt(raw[off + (big ? i : size - 1 - i)]);
    }
    const text = size > 8 ? Array.from(raw.subarray(off, off + size), (b) => b.toString(16).padStart(2, "0")).join(" ") : hex(value);
    out.push({ name, off, size, value, text, about, points });
    off += size;
  }
  return out;
}

const protection = (p) => (p & 4 ? "r" : "-") + (p & 2 ? "w" : "-") + (p & 1 ? "x" : "-");

const sectionFlags = [
  [0x1n, "write"], [0x2n, "alloc"], [0x4n, "execute"], [0x10n, "merge"], [0x20n, "strings"], [0x40n, "info link"],
  [0x80n, "link order"], [0x100n, "OS"], [0x200n, "group"], [0x400n, "TLS"], [0x800n, "compressed"],
  [0x200000n, "GNU retain"], [0x80000000n, "exclude"],
];

// meaning says in words what the value of a field means in this image.
function meaning(image, kind, field) {
  const n = Number(field.value), names = image.names, there = () => image.nameAt(VIRTUAL, field.value + image.bias);
  switch (field.name) {
    case "e_ident": return `${image.bits}-bit, ${image.big ? "big" : "little"}-endian, ${names.osabi}`;
    case "e_type": return names.type;
    case "e_machine": return names.machine;
    case "e_flags": return names.flags;
    case "e_entry": return field.value ? there() : "";
    case "e_shstrndx": case "sh_link": return image.sectionName(n);
    case "p_type": return image.headers.phname[field.of] ?? "";
    case "p_flags": return protection(n);
    case "sh_type": return names.sectionType[n] ?? "";
    case "sh_name": return image.sectionName(field.of);
    case "sh_flags": return sectionFlags.filter(([bit]) => field.value & bit).map(([, word]) => word).join(", ");
    case "p_filesz": case "p_memsz": case "sh_size": return n ? bytes(n) : "";
    case "p_offset": case "sh_offset": case "e_phoff": case "e_shoff": return image.nameAt(FILE, field.value);
    case "p_vaddr": return there();
    case "sh_addr": return field.value ? there() : "";
  }
  return kind === "ehdr" && field.size <= 4 ? String(field.value) : "";
}
