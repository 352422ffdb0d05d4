package capture

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Message is what waits in a socket: of a stream a part of it.
type Message struct {
	Data []byte
	// Files says that descriptors go with it (SCM_RIGHTS), which are not kept.
	Files bool
}

// messages reads what waits in a socket of the family AF_UNIX without taking it
// out: each peek begins where the one before has ended (SO_PEEK_OFF, socket(7)).
// ends says that nothing read is the end, not a message without bytes.
func messages(fd int, ends bool) (list []Message, err error) {
	was, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PEEK_OFF)
	if err != nil {
		return nil, fmt.Errorf("SO_PEEK_OFF: %w", err)
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PEEK_OFF, 0); err != nil {
		return nil, fmt.Errorf("SO_PEEK_OFF: %w", err)
	}
	defer func() {
		if e := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PEEK_OFF, was); err == nil && e != nil {
			err = fmt.Errorf("SO_PEEK_OFF: %w", e)
		}
	}()
	buf, control := make([]byte, 1<<20), make([]byte, 4096)
	for total := 0; ; {
		n, oob, flags, _, err := unix.Recvmsg(fd, buf, control, unix.MSG_PEEK|unix.MSG_DONTWAIT|unix.MSG_CMSG_CLOEXEC)
		if err == unix.EAGAIN || err == nil && n == 0 && ends {
			return list, nil
		}
		if err != nil {
			return nil, fmt.Errorf("recvmsg: %w", err)
		}
		if total += n; flags&unix.MSG_TRUNC != 0 || total > MaxContent {
			return nil, fmt.Errorf("recvmsg: a message of more than 0x%x bytes, or more than 0x%x in all", len(buf), MaxContent)
		}
		m := Message{Data: append([]byte(nil), buf[:n]...)}
		if m.Files, err = closeRights(control[:oob]); err != nil {
			return nil, err
		}
		list = append(list, m)
	}
}

// closeRights closes the descriptors that came with a message.
func closeRights(control []byte) (some bool, err error) {
	all, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return false, fmt.Errorf("recvmsg: %w", err)
	}
	for i := range all {
		if all[i].Header.Level != unix.SOL_SOCKET || all[i].Header.Type != unix.SCM_RIGHTS {
			continue
		}
		fds, err := unix.ParseUnixRights(&all[i])
		if err != nil {
			return false, fmt.Errorf("recvmsg: %w", err)
		}
		for _, fd := range fds {
			unix.Close(fd)
		}
		some = true
	}
	return some, nil
}
