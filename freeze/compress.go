package freeze

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"

	"elfwright/elffile"
	"elfwright/freeze/note"
)

// compressed is a frozen file on its way: one zstd frame (RFC 8878) that says how
// long the file is and has a checksum, so that zstd itself can make the file of it.
//
// The file is written as it is first and compressed then: the process goes on
// meanwhile.
type compressed struct {
	plain, name string
	opt         *Options
}

// beside makes the name of a file in the directory of name, for what is not ready.
func beside(name string) (string, error) {
	name, err := elffile.Follow(name)
	if err != nil {
		return "", err
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".elfwright.*")
	if err != nil {
		return "", err
	}
	return f.Name(), f.Close()
}

// finish makes the compressed file of the plain one.
func (c *compressed) finish() (size int64, err error) {
	in, err := os.Open(c.plain)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	st, err := in.Stat()
	if err != nil {
		return 0, err
	}
	err = replace(c.name, os.FileMode(c.opt.Mode), func(out *os.File) error {
		z, err := zstd.NewWriter(out)
		if err != nil {
			return err
		}
		z.ResetContentSize(out, st.Size())
		if _, err := io.Copy(struct{ io.Writer }{z}, &counted{in, c.opt, 0, uint64(st.Size())}); err != nil {
			return errors.Join(err, z.Close())
		}
		if err := z.Close(); err != nil {
			return err
		}
		size, err = out.Seek(0, io.SeekCurrent)
		return err
	})
	return size, err
}

// replace writes a file beside name and renames it when it is complete.
func replace(name string, mode os.FileMode, write func(*os.File) error) error {
	tmp, err := beside(name)
	if err != nil {
		return err
	}
	defer os.Remove(tmp)
	out, err := os.OpenFile(tmp, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(write(out), out.Chmod(mode), out.Close()); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if name, err = elffile.Follow(name); err != nil {
		return err
	}
	return os.Rename(tmp, name)
}

// counted is a reader that tells how far it is, and may be told to stop.
type counted struct {
	r           io.Reader
	opt         *Options
	done, total uint64
}

// Read reads.
func (c *counted) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.done += uint64(n)
	if c.opt.Progress != nil {
		c.opt.Progress(c.done, c.total)
	}
	if err == nil {
		err = c.opt.stopped()
	}
	return n, err
}

// Expand makes the frozen file again of one that is compressed.
func Expand(from, name string, opt Options) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	head := make([]byte, zstd.HeaderMaxSize)
	n, err := io.ReadFull(in, head)
	if err != nil && err != io.ErrUnexpectedEOF {
		return fmt.Errorf("%s: %w", from, err)
	}
	var h zstd.Header
	if err := h.Decode(head[:n]); err != nil {
		return fmt.Errorf("%s: is not compressed by zstd: %w", from, err)
	}
	if h.Skippable || !h.HasFCS {
		return fmt.Errorf("%s: frame at 0x0: is not one of freeze --compress, which says how long its content is", from)
	}
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if opt.Mode == 0 {
		opt.Mode = frozenMode
	}
	return replace(name, os.FileMode(opt.Mode), func(out *os.File) error {
		if err := expand(in, out, h.FrameContentSize, &opt); err != nil {
			return fmt.Errorf("%s: %w", from, err)
		}
		return isFrozen(out.Name(), from)
	})
}

// expand writes size bytes, but for the pages that are zero. A window of more than
// maxWindow the encoder never takes.
func expand(in io.Reader, out *os.File, size uint64, opt *Options) error {
	const maxWindow = 32 << 20
	z, err := zstd.NewReader(in, zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true))
	if err != nil {
		return err
	}
	defer z.Close()
	r, buf := &counted{z, opt, 0, size}, make([]byte, chunk)
	for at := uint64(0); at < size; {
		n, err := io.ReadFull(r, buf[:min(chunk, size-at)])
		if err != nil {
			return fmt.Errorf("after 0x%x of 0x%x bytes: %w", at+uint64(n), size, err)
		}
		whole := n &^ (page - 1)
		if err := writeSparse(out, buf[:whole], int64(at)); err != nil {
			return err
		}
		if _, err := out.WriteAt(buf[whole:n], int64(at)+int64(whole)); err != nil {
			return err
		}
		at += uint64(n)
	}
	// The checksum stands behind the last byte.
	switch n, err := io.ReadFull(r, buf[:1]); {
	case n != 0:
		return fmt.Errorf("has more than the 0x%x bytes of its frame content size", size)
	case err != io.EOF:
		return fmt.Errorf("behind 0x%x bytes: %w", size, err)
	}
	return out.Truncate(int64(size))
}

// isFrozen looks whether an ELF file has the note of a frozen one.
func isFrozen(name, from string) error {
	f, err := elffile.Open(name)
	if err != nil {
		return fmt.Errorf("%s: holds no frozen process: %w", from, err)
	}
	defer f.Close()
	if note.Is(f) {
		return nil
	}
	return fmt.Errorf("%s: holds an ELF file that is no frozen process", from)
}
