package write

import (
	"crypto/md5"
	"crypto/sha1"
	"encoding/binary"
	"hash/crc64"

	"elfwright/link/model"
)

// idChunk is how much of the file one hash covers; the identifier is the hash of
// their hashes, so that several goroutines can share the work.
const idChunk = 1 << 20

// noteHeader is the length of a note's header and its name "GNU".
const noteHeader = 16

// buildID puts the hash of the file, in which the identifier is still zero, into
// the note. With --build-id=uuid and a value of the user's the note has it.
func (f *file) buildID() {
	s := f.env.SecBuildID
	if s == nil || s.Out == nil || !hasBytes(s.Out) {
		return
	}
	var sum func([]byte) []byte
	switch f.env.Opt.BuildID {
	case "sha1", "tree":
		sum = func(b []byte) []byte { h := sha1.Sum(b); return h[:] }
	case "md5", "uuid":
		sum = func(b []byte) []byte { h := md5.Sum(b); return h[:] }
	case "fast":
		sum = func(b []byte) []byte {
			return binary.LittleEndian.AppendUint64(nil, crc64.Checksum(b, crc64.MakeTable(crc64.ECMA)))
		}
	default:
		return
	}
	parts := make([][]byte, (len(f.b)+idChunk-1)/idChunk)
	model.Each(f.workers, len(parts), func(i int) {
		end := min((i+1)*idChunk, len(f.b))
		parts[i] = sum(f.b[i*idChunk : end])
		f.out.release(int64(i*idChunk), int64(end-i*idChunk))
	})
	var all []byte
	for _, p := range parts {
		all = append(all, p...)
	}
	id := f.section(s.Out)[s.Off+noteHeader : s.Off+s.Size]
	copy(id, sum(all))
	if f.env.Opt.BuildID == "uuid" { // RFC 9562: a version 8 UUID, whose bits are the maker's own
		id[6], id[8] = id[6]&0x0f|0x80, id[8]&0x3f|0x80
	}
}
