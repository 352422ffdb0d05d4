// Package page makes one HTML page of images: three zoomable columns of file
// offsets, virtual and physical addresses, every header field with its meaning,
// tables of sections, symbols, relocations and strings, the steps by which a
// loader maps it, and a map of what takes the room.
//
// The page needs nothing but itself: no other file, no network; its policy
// (Content-Security-Policy) forbids both. What is in it:
//
//	index    JSON: the picture's model, the headers, the names of numbers
//	chunks   tables in columns of little-endian numbers, deflated, in base64;
//	         the page unpacks one when it is first looked at
//	assets/  the style and the scripts, joined in the order of scripts
//
// [WriteGraph] makes another page of the same parts: who needs whom, as a graph to
// follow, with what is bound.
//
// A name from a file never becomes markup: the page sets text only, and what
// stands in the index is escaped JSON.
package page
