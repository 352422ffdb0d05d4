// Package picture draws images: file offsets, virtual addresses and physical
// addresses as three columns side by side, segments as bands across them,
// sections and the other program headers inside, gaps compressed, overlaps
// marked.
//
// [New] makes the [Model], which says what lies where; it depends on nothing but
// the image. [Model.Text] draws it for a terminal, [Model.SVG] for a document,
// and package page for a browser. All three use the same [Scale], in which a
// byte and a gibibyte are both tall enough to be seen.
package picture
