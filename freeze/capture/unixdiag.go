package capture

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"
)

// Messages of NETLINK_SOCK_DIAG (sock_diag(7), linux/unix_diag.h).
const (
	diagByFamily = 20
	diagShow     = 1<<1 | 1<<2 | 1<<4 // UDIAG_SHOW_VFS, UDIAG_SHOW_PEER, UDIAG_SHOW_RQLEN
	diagVFS      = 1                  // UNIX_DIAG_VFS
	diagPeer     = 2                  // UNIX_DIAG_PEER
	diagQueue    = 4                  // UNIX_DIAG_RQLEN
	diagShutdown = 6                  // UNIX_DIAG_SHUTDOWN
	diagReply    = 16                 // size of struct unix_diag_msg
)

// unixState is what the kernel tells of a socket of the family AF_UNIX.
type unixState struct {
	peer     uint64 // inode of the socket that it is connected to
	hasPeer  bool   // it is connected; with no inode the other end is closed
	file     uint64 // inode of its name in the file system
	queue    int    // of one that listens: how many connections wait
	most     int    // and how many may
	shutdown int    // 1: does not receive any more, 2: does not send
}

// askUnix asks the kernel about a socket (CONFIG_UNIX_DIAG).
func askUnix(ino uint64) (s unixState, err error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return s, fmt.Errorf("sock_diag: %w", err)
	}
	defer unix.Close(fd)
	o := binary.LittleEndian
	req := o.AppendUint32(nil, unix.SizeofNlMsghdr+24)
	req = o.AppendUint16(req, diagByFamily)
	req = o.AppendUint16(req, unix.NLM_F_REQUEST)
	req = append(req, make([]byte, 8)...) // sequence, port
	req = append(req, unix.AF_UNIX, 0, 0, 0)
	for _, v := range []uint32{^uint32(0), uint32(ino), diagShow, ^uint32(0), ^uint32(0)} { // states, inode, what to show, cookie
		req = o.AppendUint32(req, v)
	}
	if err := unix.Sendto(fd, req, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return s, fmt.Errorf("sock_diag: %w", err)
	}
	buf := make([]byte, 8192)
	n, _, err := unix.Recvfrom(fd, buf, 0)
	if err != nil {
		return s, fmt.Errorf("sock_diag: %w", err)
	}
	return parseUnix(buf[:n])
}

// parseUnix reads an answer.
func parseUnix(b []byte) (s unixState, err error) {
	o := binary.LittleEndian
	if len(b) < unix.SizeofNlMsghdr+4 {
		return s, fmt.Errorf("sock_diag: %d bytes are no answer", len(b))
	}
	if o.Uint16(b[4:]) == unix.NLMSG_ERROR {
		return s, fmt.Errorf("sock_diag: %w", unix.Errno(-int32(o.Uint32(b[unix.SizeofNlMsghdr:]))))
	}
	size := min(int(o.Uint32(b)), len(b))
	if size < unix.SizeofNlMsghdr+diagReply {
		return s, fmt.Errorf("sock_diag: %d bytes are no answer", size)
	}
	for b = b[unix.SizeofNlMsghdr+diagReply : size]; len(b) >= 4; {
		n, kind := int(o.Uint16(b)), o.Uint16(b[2:])
		if n < 4 || n > len(b) {
			return s, fmt.Errorf("sock_diag: an attribute of %d bytes in %d", n, len(b))
		}
		switch v := b[4:n]; {
		case kind == diagPeer && len(v) >= 4:
			s.peer, s.hasPeer = uint64(o.Uint32(v)), true
		case kind == diagVFS && len(v) >= 8:
			s.file = uint64(o.Uint32(v))
		case kind == diagQueue && len(v) >= 8:
			s.queue, s.most = int(o.Uint32(v)), int(o.Uint32(v[4:]))
		case kind == diagShutdown && len(v) >= 1:
			s.shutdown = int(v[0])
		}
		b = b[min((n+3)&^3, len(b)):]
	}
	return s, nil
}
