package desc

import "slices"

// region takes a memory region, its size from the file that it is filled with
// where the description gives none, and checks what needs no other element.
func (b *builder) region(n *node) {
	r := &Region{item: item{n}, Name: n.text("name"), Size: n.num("size"), Paddr: n.num("phys_addr")}
	r.known = n.value("size").set && n.sound("size")
	r.Fixed = n.value("phys_addr").set && n.sound("phys_addr")
	if n.value("prefill_path").set && n.sound("prefill_path") {
		r.Prefill = n.text("prefill_path")
	}
	if n.value("prefill_bootinfo").set && n.sound("prefill_bootinfo") {
		r.BootInfo = n.text("prefill_bootinfo")
	}
	r.PageSize = b.board.pageSize()
	b.pageSize(r)
	b.prefill(r)
	b.size(r)
	if r.Fixed && r.Paddr%r.PageSize != 0 {
		b.faultf(n, "alignment", "memory_region %s, phys_addr: %#x is no multiple of the page size, %#x", r.Name, r.Paddr, r.PageSize)
		r.Fixed = false
	}
	if r.Fixed && r.known && r.Paddr+r.Size < r.Paddr {
		b.faultf(n, "range", "memory_region %s: phys_addr %#x and size %#x reach beyond 64 bits", r.Name, r.Paddr, r.Size)
		r.Fixed = false
	}
	b.sys.Regions = append(b.sys.Regions, r)
	if b.regions[r.Name] == nil {
		b.regions[r.Name] = r
	}
}

func (b *builder) pageSize(r *Region) {
	v := r.node.value("page_size")
	if !v.set || v.bad {
		return
	}
	if !slices.Contains(b.board.PageSizes, Number(v.num)) {
		b.faultf(r.node, "page-size", "memory_region %s, page_size: %#x is none of this board: %#x", r.Name, v.num, b.board.PageSizes)
		return
	}
	r.PageSize, r.sized = v.num, true
}

// prefill looks at the file that the region is filled with.
func (b *builder) prefill(r *Region) {
	if r.Prefill != "" && r.BootInfo != "" {
		b.faultf(r.node, "prefill", "memory_region %s has both prefill_path and prefill_bootinfo; one may fill it", r.Name)
	}
	if r.Prefill == "" || b.opt.Length == nil {
		return
	}
	n, err := b.opt.Length(r.Prefill)
	switch {
	case err != nil:
		b.faultf(r.node, "prefill", "memory_region %s, prefill_path: %v", r.Name, err)
	case n == 0:
		b.faultf(r.node, "prefill", "memory_region %s, prefill_path: %s is empty", r.Name, r.Prefill)
	default:
		r.Filled = uint64(n)
	}
}

func (b *builder) size(r *Region) {
	n := r.node
	switch {
	case r.known && r.Size == 0:
		b.faultf(n, "size", "memory_region %s: its size is 0", r.Name)
		r.known = false
	case r.known && r.Size%r.PageSize != 0:
		b.faultf(n, "size", "memory_region %s, size: %#x is no multiple of the page size, %#x", r.Name, r.Size, r.PageSize)
		r.known = false
	case r.known && r.Filled > r.Size:
		b.faultf(n, "prefill", "memory_region %s: %s has %#x bytes, and the region %#x", r.Name, r.Prefill, r.Filled, r.Size)
	case n.value("size").set:
	case n.value("prefill_bootinfo").set:
		r.Size, r.known = r.PageSize, true
	case r.Filled > 0:
		r.Size, r.known = (r.Filled+r.PageSize-1)/r.PageSize*r.PageSize, true
	case !n.value("prefill_path").set:
		b.faultf(n, "size", "memory_region %s has no size, and no file that it is filled with", r.Name)
	}
}
