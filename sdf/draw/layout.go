package draw

import "elfwright/sdf/desc"

// Measures of the figure, in points.
const (
	rowHeight = 17.0
	headRows  = 2 // of a box: name, facts
	gap       = 18.0
	top       = 56.0
	boxLeft   = 190.0
	boxWidth  = 470.0
	indent    = 22.0
	memLeft   = 830.0
	memWidth  = 250.0
)

// A box is drawn as a rectangle with rows.
type box struct {
	x, y, w     float64
	title, fact string
	class       string
	left, right []string
}

func (b *box) height() float64 {
	return rowHeight*float64(headRows+max(len(b.left), len(b.right))) + 10
}

// rowY is the middle of a row below the head.
func (b *box) rowY(i int) float64 { return b.y + rowHeight*(float64(headRows+i)+0.5) + 4 }

// A link is a line of the figure.
type link struct {
	x1, y1, x2, y2 float64
	lane           int  // of a channel, from the left
	channel        bool // else a mapping
	there, back    bool // arrows
	class, title   string
}

type layout struct {
	boxes         []*box
	links         []link
	width, height float64
}

// place makes boxes of what maps, and of regions, and joins them.
func place(s *desc.System) *layout {
	l := &layout{width: memLeft + memWidth + 24}
	type at struct{ x, y float64 }
	ports := map[*desc.End]at{}
	var maps []struct {
		m  *desc.Map
		at at
	}
	y := top
	add := func(b *box, list []*desc.Map) {
		b.y = y
		for i, m := range list {
			b.right = append(b.right, mapRow(m))
			maps = append(maps, struct {
				m  *desc.Map
				at at
			}{m, at{b.x + b.w, b.rowY(i)}})
		}
		l.boxes = append(l.boxes, b)
		y += b.height() + gap
	}
	for _, p := range s.PDs {
		d := float64(min(depth(p), 8)) * indent
		b := &box{x: boxLeft + d, y: y, w: boxWidth - d, title: p.Name, fact: facts(p), class: "pd"}
		for i, x := range ends(s, p) {
			b.left = append(b.left, endRow(x[0], x[1]))
			ports[x[0]] = at{b.x, b.rowY(i)}
		}
		for _, i := range p.IRQs {
			b.left = append(b.left, irqRow(i))
		}
		for _, i := range p.Ports {
			b.left = append(b.left, portRow(i))
		}
		add(b, p.Maps)
		if p.VM != nil {
			add(&box{x: b.x + indent, w: b.w - indent, title: p.VM.Name, fact: "virtual machine of " + p.Name, class: "vm"}, p.VM.Maps)
		}
	}
	for _, io := range s.IOSpaces {
		add(&box{x: boxLeft, w: boxWidth, title: io.Name, fact: "device " + io.Device, class: "vm"}, io.Maps)
	}
	l.height = y
	regions := l.memory(s)
	for _, x := range maps {
		r := regions[x.m.Region]
		if r == nil {
			continue
		}
		class := "read"
		switch {
		case x.m.Perms&desc.Write != 0:
			class = "write"
		case x.m.Perms&desc.Execute != 0:
			class = "exec"
		}
		l.links = append(l.links, link{x1: x.at.x, y1: x.at.y, x2: r.x, y2: r.y + r.height()/2, class: class, title: x.m.Name + ": " + mapRow(x.m)})
	}
	for i, ch := range s.Channels {
		if len(ch.Ends) != 2 || ch.Ends[0].PD == nil || ch.Ends[1].PD == nil {
			continue
		}
		a, b := ch.Ends[0], ch.Ends[1]
		class := "notify"
		if a.PP || b.PP {
			class = "call"
		}
		l.links = append(l.links, link{x1: ports[a].x, y1: ports[a].y, x2: ports[b].x, y2: ports[b].y, lane: i % 12, channel: true,
			there: a.PP || a.Notify, back: b.PP || b.Notify, class: class,
			title: a.Name + " " + endRow(a, b) + "; " + b.Name + " " + endRow(b, a)})
	}
	return l
}

// memory puts the regions into a column of their own.
func (l *layout) memory(s *desc.System) map[*desc.Region]*box {
	out := map[*desc.Region]*box{}
	y := top
	for _, r := range s.Regions {
		b := &box{x: memLeft, y: y, w: memWidth, title: r.Name, fact: regionFacts(r), class: "mr"}
		l.boxes = append(l.boxes, b)
		out[r] = b
		y += b.height() + gap
	}
	l.height = max(l.height, y) + 30
	return out
}
