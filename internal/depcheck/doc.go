// Package depcheck holds the rules of who may import whom, and the test that
// keeps them. It has no code of its own.
//
// A new package gets one word in levels, a new library one line in libraries;
// both are in rules_test.go.
package depcheck
