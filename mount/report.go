package mount

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// ReportVersion is the version of the report's JSON form. Fields may be added to
// a version; none changes its meaning.
const ReportVersion = 1

// Report says what was mounted, and how.
type Report struct {
	Version int      `json:"version"`
	File    string   `json:"file"`
	Offset  Hex      `json:"offset"` // of the image in the file
	Size    Hex      `json:"size"`
	Dir     string   `json:"dir"`
	Via     Via      `json:"via"`
	Server  int      `json:"server"` // process id; 0 if the kernel reads the image
	Tried   []Try    `json:"tried"`  // ways before it, and why they do not work here
	Unmount []string `json:"unmount"`
}

// A Try is a way that does not work here.
type Try struct {
	Via    Via    `json:"via"`
	Reason string `json:"reason"`
}

// Hex is a number that may need more than 53 bits: in JSON it is a string.
type Hex uint64

// MarshalText gives JSON its string.
func (h Hex) MarshalText() ([]byte, error) {
	return strconv.AppendUint([]byte("0x"), uint64(h), 16), nil
}

// Report returns what a mount is to be told of.
func (m *Mounted) Report() *Report {
	r := &Report{
		Version: ReportVersion, File: m.Source.Path, Offset: Hex(m.Source.Offset), Size: Hex(m.Source.Size),
		Dir: m.Dir, Via: m.Via, Server: m.Server, Tried: []Try{}, Unmount: m.Command(),
	}
	for _, p := range m.Passed {
		r.Tried = append(r.Tried, Try{p.Via, p.Reason.Error()})
	}
	return r
}

var manners = map[Via]string{
	Kernel: "by the kernel's EROFS, from the file",
	Loop:   "by the kernel's EROFS, from a loop device",
	FUSE:   "by FUSE",
}

// WriteText writes it for people.
func (r *Report) WriteText(w io.Writer) error {
	how := manners[r.Via]
	if r.Server != 0 {
		how = fmt.Sprintf("%s, served by process %d", how, r.Server)
	}
	_, err := fmt.Fprintf(w, "%s: 0x%x bytes at 0x%x are mounted on %s, %s\nto unmount: %s\n",
		r.File, uint64(r.Size), uint64(r.Offset), r.Dir, how, shell(r.Unmount))
	return err
}

// shell is a command as one types it.
func shell(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = w
		if strings.Trim(w, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./+:,@%") != "" {
			out[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return strings.Join(out, " ")
}
