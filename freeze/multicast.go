package freeze

import (
	"golang.org/x/sys/unix"

	"elfwright/freeze/capture"
	"elfwright/freeze/script"
)

// join makes a socket a member of the groups that it was a member of. Network
// interfaces go by their names: they have other numbers elsewhere.
func (c *compiler) join(d *capture.Descriptor) {
	const nameSize, indexAt, ifreq = unix.IFNAMSIZ, unix.IFNAMSIZ, 40
	const joinGroup, request, address = 42, 136, 8 // MCAST_JOIN_GROUP, struct group_req
	for _, g := range d.Socket.Groups {
		asked := make([]byte, ifreq)
		copy(asked[:nameSize-1], g.Device)
		at := c.Data(asked, 8)
		req := make([]byte, request)
		copy(req[address:], g.Address)
		group := c.Data(req, 8)
		c.Call("ioctl", script.Int(d.N), script.Int(unix.SIOCGIFINDEX), script.Int(at)).Says("%s: network interface %s", describe(d), g.Device)
		c.Do(script.Load4, script.Int(at), script.Int(indexAt)).To(c.tmp)
		c.Do(script.Store4, script.Int(group), c.tmp.Get())
		c.Call("setsockopt", script.Int(d.N), script.Int(g.Level), script.Int(joinGroup), script.Int(group), script.Int(request)).Says("%s: multicast group on %s", describe(d), g.Device)
	}
}
