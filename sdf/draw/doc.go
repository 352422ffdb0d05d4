// Package draw shows a system description: as text, as a figure, and as a page
// with the figure and tables.
//
// The figure has the protection domains on the left, children indented below
// their parent, and memory on the right. Each box has rows: on its left side what
// it is told by, channel ends, interrupts and ports, on its right side what it
// maps. A line joins the two ends of a channel, or a mapping and its region.
package draw
