// Package sdf applies a Microkit system description to its images: each
// protection domain's variables get what the system says of it, as Microkit's own
// tool writes them, and a Plan tells every address that was chosen.
//
// Package desc below it reads and checks the description itself. Apply looks at
// what that cannot know: the images. It opens those of all protection domains,
// looks up every symbol, chooses physical addresses, and collects all that does
// not fit before anything is written.
package sdf
