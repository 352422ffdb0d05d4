package capture

import (
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Group is a multicast group that a socket is a member of.
type Group struct {
	Level   int    // IPPROTO_IP, IPPROTO_IPV6
	Device  string // the network interface
	Address []byte // struct sockaddr_in or sockaddr_in6
	Chosen  bool   // it receives from some senders only, which are not kept
	index   int
}

// ParseIGMP reads /proc/PID/net/igmp: the groups that some socket is a member of,
// below a line for each network interface.
func ParseIGMP(text []byte) (out []Group) {
	var device string
	var index int
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if !strings.HasPrefix(line, "\t") {
			if len(f) >= 2 {
				index, _ = strconv.Atoi(f[0])
				device = strings.TrimSuffix(f[1], ":")
			}
			continue
		}
		if len(f) == 0 {
			continue
		}
		v, err := strconv.ParseUint(f[0], 16, 32)
		if err != nil || index == 0 {
			continue
		}
		a := binary.LittleEndian.AppendUint16(nil, unix.AF_INET)
		a = append(a, 0, 0)
		a = binary.LittleEndian.AppendUint32(a, uint32(v)) // as the kernel has it in memory
		out = append(out, Group{Level: unix.IPPROTO_IP, Device: device, Address: append(a, make([]byte, 8)...), index: index})
	}
	return out
}

// ParseIGMP6 reads /proc/PID/net/igmp6: "4 eth0 ff02…01 1 0000000C 0".
func ParseIGMP6(text []byte) (out []Group) {
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) < 3 {
			continue
		}
		index, err := strconv.Atoi(f[0])
		ip, err2 := hex.DecodeString(f[2])
		if err != nil || err2 != nil || len(ip) != 16 {
			continue
		}
		a := binary.LittleEndian.AppendUint16(nil, unix.AF_INET6)
		a = append(append(a, make([]byte, 6)...), ip...) // port, flow
		out = append(out, Group{Level: unix.IPPROTO_IPV6, Device: f[1], Address: append(a, make([]byte, 4)...), index: index})
	}
	return out
}

// groups asks a socket of which groups that there are it is a member
// (MCAST_MSFILTER, which answers for members alone).
func (t *Target) groups(s *Socket, fd int) error {
	if s.Type == unix.SOCK_STREAM || s.Domain != unix.AF_INET && s.Domain != unix.AF_INET6 {
		return nil
	}
	b, err := t.read("net/igmp")
	if err != nil {
		return nil // a kernel without multicast
	}
	all := ParseIGMP(b)
	if s.Domain == unix.AF_INET6 {
		if b, err = t.read("net/igmp6"); err == nil {
			all = append(all, ParseIGMP6(b)...)
		}
	}
	for _, g := range all {
		const address, mode, senders, size = 8, 136, 140, 144 // struct group_filter
		const filter, exclude = 48, 0                         // MCAST_MSFILTER, MCAST_EXCLUDE
		b := make([]byte, size)
		binary.LittleEndian.PutUint32(b, uint32(g.index))
		copy(b[address:], g.Address)
		n := uint32(size)
		if _, _, e := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), uintptr(g.Level), filter, uintptr(unsafe.Pointer(&b[0])), uintptr(unsafe.Pointer(&n)), 0); e != 0 {
			continue
		}
		g.Chosen = binary.LittleEndian.Uint32(b[mode:]) != exclude || binary.LittleEndian.Uint32(b[senders:]) != 0
		s.Groups = append(s.Groups, g)
	}
	return nil
}
