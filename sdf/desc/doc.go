// Package desc is the language of Microkit system descriptions: XML files that
// say which protection domains a system has, which memory they share, and over
// which channels they talk.
//
// Parse reads one for a Board and checks it whole: the XML (xml.go), each element
// against the grammar (grammar.go, validate.go), and then the rules that take
// more than one element (rules*.go). It does not stop at a fault: a System and
// all Findings are returned, and a rule that needs a value which is at fault
// already leaves it out.
//
// The language is that of the manual of Microkit 2.x and of its tool. Where the
// tool takes what cannot be meant, this package refuses it, or warns.
package desc
