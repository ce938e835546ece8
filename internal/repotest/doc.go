// Package repotest tests the repository itself: which package may import which,
// that the README's program compiles and logs somebody in, and the rules of
// CONTRIBUTING.md that can be read off the source. It holds tests only.
package repotest
