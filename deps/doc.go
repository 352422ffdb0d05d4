// Package deps answers questions about what a program needs: the tree of its
// libraries and the rule that found each, what is missing and where it was looked
// for, which symbol is bound where, what is needed in vain, which versions of a
// libc are asked for. Everything is read, nothing executed.
//
// [Open] loads and binds; a [Subject] is then asked. The deciding is done in
// dyn/load and dyn/bind.
package deps
