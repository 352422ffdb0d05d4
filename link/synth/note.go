package synth

import (
	"debug/elf"
	"encoding/hex"
	"errors"
	"fmt"
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
		given, err := givenID(id)
		if err != nil {
			s.env.Report.Error(fmt.Errorf("--build-id=%s: %w", id, err))
			return
		}
		n = len(given)
	}
	s.buildID = s.add(".note.gnu.build-id", elf.SHT_NOTE, allocRead, 4, 0, writer(s.writeBuildID))
	s.buildID.Size = 16 + uint64(n)
	s.env.SecBuildID = s.buildID
}

// givenID is the identifier of --build-id=0x…: digits in pairs, which - and : may
// part.
func givenID(id string) ([]byte, error) {
	if !isGiven(id) {
		return nil, errors.New("known are none, sha1, tree, md5, uuid, fast and 0x with digits")
	}
	b, err := hex.DecodeString(strings.NewReplacer("-", "", ":", "").Replace(id[2:]))
	if err == nil && len(b) == 0 {
		err = errors.New("no digits")
	}
	return b, err
}

func isGiven(id string) bool { return strings.HasPrefix(id, "0x") || strings.HasPrefix(id, "0X") }

// noteGNUBuildID is NT_GNU_BUILD_ID.
const noteGNUBuildID = 3

func (s *Set) writeBuildID(b []byte) {
	o := s.env.Order
	o.PutUint32(b, 4)
	o.PutUint32(b[4:], uint32(len(b)-16))
	o.PutUint32(b[8:], noteGNUBuildID)
	copy(b[12:], "GNU\x00")
	if given, err := givenID(s.env.Opt.BuildID); err == nil {
		copy(b[16:], given)
	}
}
