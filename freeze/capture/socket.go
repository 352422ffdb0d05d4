package capture

import (
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Socket is a socket.
type Socket struct {
	Domain, Type, Protocol int
	Listening              bool
	Connected              bool
	Connecting             bool      // TCP, and not yet, or not any more
	Queued                 int       // bytes to read
	Listen                 int       // how many connections may wait
	Backlog                int       // how many do
	Peer                   uint64    // inode of the socket that it is connected to; 0: not known
	Closed                 bool      // the socket that it was connected to is closed
	Shutdown               int       // shutdown(2): 1: does not receive, 2: does not send
	Name                   []byte    // of bind(2)
	PeerName               []byte    // of connect(2)
	File                   uint64    // inode of a name in the file system
	FileMode               uint32    // and its mode; 0: it has no such name any more
	Messages               []Message // that were not read yet
	Filter                 []byte    // classic BPF
	Groups                 []Group   // of multicast
	OtherFilter            bool      // a filter that cannot be read
	Options                []SocketOption
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
	s.PeerName = sockname(fd, unix.SYS_GETPEERNAME)
	s.Connected = s.PeerName != nil
	if !s.Listening {
		s.Queued, _ = unix.IoctlGetInt(fd, unix.TIOCINQ)
	}
	s.options(fd)
	s.waiting(fd)
	var readable bool
	s.Filter, readable = filter(fd)
	s.OtherFilter = !readable
	d.Socket = s
	if err := t.groups(s, fd); err != nil {
		return err
	}
	if s.Domain == unix.AF_UNIX {
		return t.unixSocket(d, fd)
	}
	return nil
}

// unixSocket asks for what only sockets of the family AF_UNIX have.
func (t *Target) unixSocket(d *Descriptor, fd int) error {
	s := d.Socket
	// Where the kernel does not say (CONFIG_UNIX_DIAG), the peer is not known.
	if u, err := askUnix(d.Ino); err == nil {
		s.Peer, s.Closed, s.Shutdown, s.File = u.peer, u.hasPeer && u.peer == 0, u.shutdown, u.file
		if s.Listening {
			s.Backlog, s.Listen = u.queue, u.most
		}
	}
	if path := s.Path(); path != "" {
		if !strings.HasPrefix(path, "/") {
			path = "/cwd/" + path
		} else {
			path = "/root" + path
		}
		var st unix.Stat_t
		if unix.Stat(t.path(path), &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFSOCK && (s.File == 0 || st.Ino == s.File) {
			s.FileMode = st.Mode
		}
	}
	if s.Listening {
		return nil
	}
	const noMore = 1
	list, err := messages(fd, s.Type == unix.SOCK_STREAM || s.Type == unix.SOCK_SEQPACKET && s.Shutdown&noMore != 0)
	if err != nil && (s.Queued > 0 || s.Connected) {
		return t.fault("descriptor %d: what was not read yet: %w", d.N, err)
	}
	s.Messages = list
	return nil
}

// Path is the name of a socket in the file system; "": it has none.
func (s *Socket) Path() string {
	const family = 2
	if s.Domain != unix.AF_UNIX || len(s.Name) <= family || s.Name[family] == 0 {
		return ""
	}
	path, _, _ := strings.Cut(string(s.Name[family:]), "\x00")
	return path
}

// waiting asks how many connections wait, where the socket can be asked.
func (s *Socket) waiting(fd int) {
	s.Listen = 4096 // SOMAXCONN
	if s.Protocol != unix.IPPROTO_TCP {
		return
	}
	// inet_csk_listen: tcpi_unacked and tcpi_sacked are the queue and its limit.
	if ti, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO); err == nil && !s.Listening {
		const closed = 7 // TCP_CLOSE
		s.Connecting = !s.Connected && ti.State != closed
	} else if err == nil {
		s.Backlog, s.Listen = int(ti.Unacked), int(ti.Sacked)
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
