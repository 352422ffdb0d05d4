package synth

import (
	"debug/elf"
	"encoding/hex"
	"strings"
)

// createBuildID makes the note. Its identifier, the hash of the whole file, is
// put in by package write; one that the user gives is here.
func (s *Set) createBuildID() {
	n := 0
	switch id := s.env.Opt.BuildID; id {
	case "", "none":
		return
	case "sha1", "tree":
		n = 20
	case "md5", "uuid":
		n = 16
	case "fast":
		n = 8
	default:
		n = len(givenID(id))
	}
	s.buildID = s.add(".note.gnu.build-id", elf.SHT_NOTE, allocRead, 4, 0, writer(s.writeBuildID))
	s.buildID.Size = 16 + uint64(n)
	s.env.SecBuildID = s.buildID
}

// givenID is the identifier of --build-id=0x…: digits in pairs, which - and : may
// part.
func givenID(id string) []byte {
	digits := strings.NewReplacer("-", "", ":", "").Replace(strings.TrimPrefix(strings.TrimPrefix(id, "0x"), "0X"))
	b, _ := hex.DecodeString(digits)
	return b
}

// noteGNUBuildID is NT_GNU_BUILD_ID.
const noteGNUBuildID = 3

func (s *Set) writeBuildID(b []byte) {
	o := s.env.Order
	o.PutUint32(b, 4)
	o.PutUint32(b[4:], uint32(len(b)-16))
	o.PutUint32(b[8:], noteGNUBuildID)
	copy(b[12:], "GNU\x00")
	if strings.HasPrefix(s.env.Opt.BuildID, "0x") || strings.HasPrefix(s.env.Opt.BuildID, "0X") {
		copy(b[16:], givenID(s.env.Opt.BuildID))
	}
}
