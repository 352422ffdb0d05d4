package flat

import (
	"path/filepath"
	"strings"
)

// Format is a form of flat file.
type Format string

// The formats. Bin is bytes alone; the others have addresses.
const (
	Bin  Format = "bin"
	IHex Format = "ihex"
	SRec Format = "srec"
	UF2  Format = "uf2"
	VMem Format = "vmem"
)

// Formats are the names of all formats.
func Formats() []string {
	return []string{string(Bin), string(IHex), string(SRec), string(UF2), string(VMem)}
}

var suffixes = map[string]Format{
	".bin": Bin,
	".hex": IHex, ".ihex": IHex, ".ihx": IHex,
	".srec": SRec, ".s19": SRec, ".s28": SRec, ".s37": SRec, ".mot": SRec,
	".uf2":  UF2,
	".vmem": VMem, ".mem": VMem,
}

// FormatOf tells a format by the suffix of a file's name; "" where it says
// nothing.
func FormatOf(name string) Format { return suffixes[strings.ToLower(filepath.Ext(name))] }
