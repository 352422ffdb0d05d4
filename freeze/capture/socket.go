package capture

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Socket is a socket.
type Socket struct {
	Domain, Type, Protocol int
	Listening              bool
	Connected              bool
	Queued                 int    // bytes to read
	Listen                 int    // how many connections may wait
	Backlog                int    // how many do
	Peer                   uint64 // inode of the socket that it is connected to; 0: not known
	Name                   []byte // of bind(2)
	Options                []SocketOption
}

// SocketOption is an option of setsockopt(2) that is not as every socket has it.
type SocketOption struct {
	Level, Name int
	Value       []byte
}

// Options that are kept, and how many bytes they have.
var socketOptions = []struct{ level, name, size int }{
	{unix.SOL_SOCKET, unix.SO_REUSEADDR, 4}, {unix.SOL_SOCKET, unix.SO_REUSEPORT, 4}, {unix.SOL_SOCKET, unix.SO_KEEPALIVE, 4},
	{unix.SOL_SOCKET, unix.SO_BROADCAST, 4}, {unix.SOL_SOCKET, unix.SO_OOBINLINE, 4}, {unix.SOL_SOCKET, unix.SO_PASSCRED, 4},
	{unix.SOL_SOCKET, unix.SO_LINGER, 8}, {unix.SOL_SOCKET, unix.SO_RCVTIMEO_NEW, 16}, {unix.SOL_SOCKET, unix.SO_SNDTIMEO_NEW, 16},
	{unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 4},
	{unix.IPPROTO_TCP, unix.TCP_NODELAY, 4}, {unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, 4}, {unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 4},
	{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, 4}, {unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 4},
}

func getOption(fd, level, name int, size int) ([]byte, error) {
	b := make([]byte, size)
	n := uint32(size)
	_, _, e := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), uintptr(level), uintptr(name), uintptr(unsafe.Pointer(&b[0])), uintptr(unsafe.Pointer(&n)), 0)
	if e != 0 {
		return nil, e
	}
	return b[:n], nil
}

// socket asks a socket what it is.
func (t *Target) socket(d *Descriptor) error {
	fd, err := t.Open(d.N)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	s := &Socket{}
	for _, o := range []struct {
		name int
		to   *int
	}{{unix.SO_DOMAIN, &s.Domain}, {unix.SO_TYPE, &s.Type}, {unix.SO_PROTOCOL, &s.Protocol}} {
		if *o.to, err = unix.GetsockoptInt(fd, unix.SOL_SOCKET, o.name); err != nil {
			return t.fault("descriptor %d: getsockopt: %w", d.N, err)
		}
	}
	listening, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	s.Listening = err == nil && listening != 0
	s.Name = sockname(fd, unix.SYS_GETSOCKNAME)
	s.Connected = sockname(fd, unix.SYS_GETPEERNAME) != nil
	if !s.Listening {
		s.Queued, _ = unix.IoctlGetInt(fd, unix.TIOCINQ)
	}
	s.options(fd)
	s.waiting(fd)
	if s.Domain == unix.AF_UNIX && s.Connected {
		// Where the kernel does not say (CONFIG_UNIX_DIAG), the peer is not known.
		s.Peer, _ = unixPeer(d.Ino)
	}
	d.Socket = s
	return nil
}

// waiting asks how many connections wait, where the socket can be asked.
func (s *Socket) waiting(fd int) {
	s.Listen = 4096 // SOMAXCONN
	if !s.Listening || s.Protocol != unix.IPPROTO_TCP {
		return
	}
	// inet_csk_listen: tcpi_unacked and tcpi_sacked are the queue and its limit.
	if ti, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
		s.Backlog, s.Listen = int(ti.Unacked), int(ti.Sacked)
	}
}

// options keeps the options that differ from those of a new socket.
func (s *Socket) options(fd int) {
	fresh, err := unix.Socket(s.Domain, s.Type|unix.SOCK_CLOEXEC, s.Protocol)
	if err == nil {
		defer unix.Close(fresh)
	}
	for _, o := range socketOptions {
		v, err := getOption(fd, o.level, o.name, o.size)
		if err != nil {
			continue // not of this kind of socket
		}
		if w, err := getOption(fresh, o.level, o.name, o.size); err == nil && string(w) == string(v) {
			continue
		}
		s.Options = append(s.Options, SocketOption{o.level, o.name, v})
	}
}

// sockname asks for a name, the socket's own or its peer's; nil: it has none.
func sockname(fd int, call uintptr) []byte {
	b := make([]byte, 128)
	n := uint32(len(b))
	if _, _, e := unix.Syscall(call, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(unsafe.Pointer(&n))); e != 0 {
		return nil
	}
	return b[:min(int(n), len(b))]
}
