// Package engines starts the engines that stores are tested against: a Redis or a
// PostgreSQL of one's own, on loopback, with nothing kept outside one directory.
// A [Link] stands between a store and its engine, and can be cut.
package engines
