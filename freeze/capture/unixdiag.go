package capture

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"
)

// Messages of NETLINK_SOCK_DIAG (sock_diag(7), linux/unix_diag.h).
const (
	diagByFamily = 20
	diagShowPeer = 1 << 2 // UDIAG_SHOW_PEER
	diagPeer     = 2      // UNIX_DIAG_PEER
	diagReply    = 16     // size of struct unix_diag_msg
)

// unixPeer asks the kernel to which socket one of the family AF_UNIX is
// connected.
func unixPeer(ino uint64) (peer uint64, err error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return 0, fmt.Errorf("sock_diag: %w", err)
	}
	defer unix.Close(fd)
	o := binary.LittleEndian
	req := o.AppendUint32(nil, unix.SizeofNlMsghdr+24)
	req = o.AppendUint16(req, diagByFamily)
	req = o.AppendUint16(req, unix.NLM_F_REQUEST)
	req = append(req, make([]byte, 8)...) // sequence, port
	req = append(req, unix.AF_UNIX, 0, 0, 0)
	for _, v := range []uint32{^uint32(0), uint32(ino), diagShowPeer, ^uint32(0), ^uint32(0)} { // states, inode, what to show, cookie
		req = o.AppendUint32(req, v)
	}
	if err := unix.Sendto(fd, req, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return 0, fmt.Errorf("sock_diag: %w", err)
	}
	buf := make([]byte, 8192)
	n, _, err := unix.Recvfrom(fd, buf, 0)
	if err != nil {
		return 0, fmt.Errorf("sock_diag: %w", err)
	}
	return parsePeer(buf[:n])
}

// parsePeer finds the peer in an answer.
func parsePeer(b []byte) (uint64, error) {
	o := binary.LittleEndian
	if len(b) < unix.SizeofNlMsghdr+4 {
		return 0, fmt.Errorf("sock_diag: %d bytes are no answer", len(b))
	}
	if o.Uint16(b[4:]) == unix.NLMSG_ERROR {
		return 0, fmt.Errorf("sock_diag: %w", unix.Errno(-int32(o.Uint32(b[unix.SizeofNlMsghdr:]))))
	}
	size := min(int(o.Uint32(b)), len(b))
	if size < unix.SizeofNlMsghdr+diagReply {
		return 0, fmt.Errorf("sock_diag: %d bytes are no answer", size)
	}
	for b = b[unix.SizeofNlMsghdr+diagReply : size]; len(b) >= 4; {
		n, kind := int(o.Uint16(b)), o.Uint16(b[2:])
		if n < 4 || n > len(b) {
			return 0, fmt.Errorf("sock_diag: an attribute of %d bytes in %d", n, len(b))
		}
		if kind == diagPeer && n >= 8 {
			return uint64(o.Uint32(b[4:])), nil
		}
		b = b[min((n+3)&^3, len(b)):]
	}
	return 0, nil
}
