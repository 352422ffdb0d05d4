package capture

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// SocketOption is an option of setsockopt(2) that is not as every socket has it.
type SocketOption struct {
	Level, Name int
	Value       []byte
	// Halved says that the kernel doubles what it is given (SO_RCVBUF), and gives
	// less than it is asked for without a word.
	Halved bool
}

// Options whose value is a number, by level. (Names that x/sys does not have stand
// as numbers; include/uapi/asm-generic/socket.h, linux/in.h, in6.h, tcp.h, udp.h.)
var numberOptions = []struct {
	level int
	names []int
}{
	{unix.SOL_SOCKET, []int{
		unix.SO_REUSEADDR, unix.SO_REUSEPORT, unix.SO_KEEPALIVE, unix.SO_BROADCAST, unix.SO_OOBINLINE, unix.SO_PASSCRED, unix.SO_PASSSEC,
		unix.SO_DONTROUTE, unix.SO_NO_CHECK, unix.SO_PRIORITY, unix.SO_RCVLOWAT, unix.SO_TIMESTAMP_OLD, unix.SO_TIMESTAMPNS_OLD,
		unix.SO_TIMESTAMP_NEW, unix.SO_TIMESTAMPNS_NEW, unix.SO_MARK, unix.SO_RXQ_OVFL, unix.SO_WIFI_STATUS, unix.SO_PEEK_OFF, unix.SO_NOFCS,
		unix.SO_LOCK_FILTER, unix.SO_SELECT_ERR_QUEUE, unix.SO_BUSY_POLL, unix.SO_INCOMING_CPU, unix.SO_ZEROCOPY, unix.SO_PREFER_BUSY_POLL,
		unix.SO_BUSY_POLL_BUDGET, unix.SO_RESERVE_MEM, unix.SO_RCVMARK, unix.SO_PASSPIDFD, 82 /* SO_RCVPRIORITY */, 83, /* SO_PASSRIGHTS */
	}},
	{unix.IPPROTO_IP, []int{
		unix.IP_TOS, unix.IP_TTL, unix.IP_HDRINCL, unix.IP_RECVOPTS, unix.IP_RETOPTS, unix.IP_PKTINFO, unix.IP_MTU_DISCOVER, unix.IP_RECVERR,
		unix.IP_RECVTTL, unix.IP_RECVTOS, unix.IP_FREEBIND, unix.IP_PASSSEC, unix.IP_TRANSPARENT, unix.IP_RECVORIGDSTADDR, unix.IP_MINTTL,
		unix.IP_NODEFRAG, unix.IP_CHECKSUM, unix.IP_BIND_ADDRESS_NO_PORT, unix.IP_RECVFRAGSIZE, unix.IP_RECVERR_RFC4884,
		unix.IP_MULTICAST_TTL, unix.IP_MULTICAST_LOOP, unix.IP_MULTICAST_IF, unix.IP_MULTICAST_ALL, unix.IP_UNICAST_IF, unix.IP_LOCAL_PORT_RANGE,
	}},
	{unix.IPPROTO_IPV6, []int{
		unix.IPV6_V6ONLY, unix.IPV6_UNICAST_HOPS, unix.IPV6_MULTICAST_IF, unix.IPV6_MULTICAST_HOPS, unix.IPV6_MULTICAST_LOOP,
		unix.IPV6_MTU_DISCOVER, unix.IPV6_RECVERR, unix.IPV6_RECVPKTINFO, unix.IPV6_RECVHOPLIMIT, unix.IPV6_RECVTCLASS, unix.IPV6_TCLASS,
		unix.IPV6_FREEBIND, unix.IPV6_DONTFRAG, unix.IPV6_AUTOFLOWLABEL, unix.IPV6_MULTICAST_ALL, unix.IPV6_TRANSPARENT, unix.IPV6_UNICAST_IF,
		unix.IPV6_MINHOPCOUNT, unix.IPV6_RECVRTHDR, unix.IPV6_RECVHOPOPTS, unix.IPV6_RECVDSTOPTS, unix.IPV6_RECVPATHMTU,
		unix.IPV6_RECVORIGDSTADDR, unix.IPV6_RECVFRAGSIZE, unix.IPV6_RECVERR_RFC4884, unix.IPV6_ADDR_PREFERENCES,
	}},
	{unix.IPPROTO_TCP, []int{
		unix.TCP_NODELAY, unix.TCP_MAXSEG, unix.TCP_CORK, unix.TCP_KEEPIDLE, unix.TCP_KEEPINTVL, unix.TCP_KEEPCNT, unix.TCP_SYNCNT,
		unix.TCP_LINGER2, unix.TCP_DEFER_ACCEPT, unix.TCP_WINDOW_CLAMP, unix.TCP_QUICKACK, unix.TCP_THIN_LINEAR_TIMEOUTS,
		unix.TCP_USER_TIMEOUT, unix.TCP_FASTOPEN, unix.TCP_NOTSENT_LOWAT, unix.TCP_SAVE_SYN, unix.TCP_FASTOPEN_CONNECT,
		unix.TCP_FASTOPEN_NO_COOKIE, unix.TCP_INQ, unix.TCP_TX_DELAY,
	}},
	{unix.IPPROTO_UDP, []int{1 /* UDP_CORK */, 100 /* UDP_ENCAP */, 101 /* UDP_NO_CHECK6_TX */, 102 /* UDP_NO_CHECK6_RX */, 103 /* UDP_SEGMENT */, 104 /* UDP_GRO */}},
	{unix.SOL_RAW, []int{1 /* ICMP_FILTER */}},
}

// Options of other sizes.
var longOptions = []struct{ level, name, size int }{
	{unix.SOL_SOCKET, unix.SO_LINGER, 8}, {unix.SOL_SOCKET, unix.SO_RCVTIMEO_NEW, 16}, {unix.SOL_SOCKET, unix.SO_SNDTIMEO_NEW, 16},
	{unix.SOL_SOCKET, unix.SO_BINDTODEVICE, 16}, {unix.SOL_SOCKET, unix.SO_MAX_PACING_RATE, 8}, {unix.SOL_SOCKET, unix.SO_TXTIME, 8},
	{unix.SOL_SOCKET, unix.SO_TIMESTAMPING_OLD, 8}, {unix.SOL_SOCKET, unix.SO_TIMESTAMPING_NEW, 8},
	{unix.IPPROTO_IP, unix.IP_OPTIONS, 40}, {unix.IPPROTO_TCP, unix.TCP_CONGESTION, 16},
	{unix.IPPROTO_ICMPV6, 1 /* ICMPV6_FILTER */, 32},
}

func getOption(fd, level, name int, size int) ([]byte, error) {
	b := make([]byte, size)
	n := uint32(size)
	_, _, e := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), uintptr(level), uintptr(name), uintptr(unsafe.Pointer(&b[0])), uintptr(unsafe.Pointer(&n)), 0)
	if e != 0 {
		return nil, e
	}
	return b[:min(int(n), size)], nil
}

// options keeps the options that differ from those of a new socket.
func (s *Socket) options(fd int) {
	fresh, err := unix.Socket(s.Domain, s.Type|unix.SOCK_CLOEXEC, s.Protocol)
	if err == nil {
		defer unix.Close(fresh)
	}
	keep := func(level, name, size int, halved bool) {
		v, err := getOption(fd, level, name, size)
		if err != nil {
			return // not of this kind of socket
		}
		if w, err := getOption(fresh, level, name, size); err == nil && string(w) == string(v) {
			return
		}
		s.Options = append(s.Options, SocketOption{level, name, v, halved})
	}
	for _, o := range numberOptions {
		for _, name := range o.names {
			keep(o.level, name, 4, false)
		}
	}
	for _, o := range longOptions {
		keep(o.level, o.name, o.size, false)
	}
	// A size that nobody asked for follows the traffic, and is the kernel's.
	const sndLock, rcvLock = 1, 2
	locks, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_BUF_LOCK)
	if err != nil { // before Linux 5.16
		locks = sndLock | rcvLock
	}
	if locks&sndLock != 0 {
		keep(unix.SOL_SOCKET, unix.SO_SNDBUF, 4, true)
	}
	if locks&rcvLock != 0 {
		keep(unix.SOL_SOCKET, unix.SO_RCVBUF, 4, true)
	}
}

// filter reads the filter of a socket, as classic instructions; ok is false where
// it has one that is not of these.
func filter(fd int) (code []byte, ok bool) {
	const most, size = 4096, 8 // BPF_MAXINSNS, struct sock_filter
	b := make([]byte, most*size)
	n := uint32(most)
	_, _, e := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_GET_FILTER, uintptr(unsafe.Pointer(&b[0])), uintptr(unsafe.Pointer(&n)), 0)
	if e != 0 {
		return nil, e != unix.EACCES
	}
	return b[:min(int(n), most)*size], true
}
