// Package redisstore keeps sessions and used logins of package weblogin in Redis,
// for replicas that share one.
//
// # What it needs
//
// Redis 6.2 or later, or Valkey, with a policy of noeviction: a Redis that evicts
// under pressure ends sessions that are alive, and forgets used logins. A full one
// answers [weblogin.ErrFull] to whoever begins a session, and still ends sessions.
// Sessions survive a restart of Redis only if it persists: appendonly yes, with
// appendfsync everysec, loses at most what the last second brought. So does a
// failover, since replication is asynchronous. Lost with that second may be a
// rotated refresh token, a logout, or the mark of a used login; where that is not
// acceptable, appendfsync always on a single Redis or PostgreSQL is.
//
// # How it is used
//
// Each method is one round trip. Changes are Lua scripts, sent by their hash and
// in full to a Redis that does not have them yet. What changes something that
// can't be changed twice (Put, Delete, DeleteNamed, Once) is never repeated by the
// client, whatever its MaxRetries, so that an answer lost on the wire is an error
// and not a conflict with oneself. Set ContextTimeoutEnabled in the options of the
// client: without it, go-redis lets a call wait for ReadTimeout however little
// time its context has left.
//
// # Layout
//
// With the prefix "rely", all keys begin with "{rely:1}:", whose 1 is the version
// of this layout; nothing has to be migrated. In braces, that is a hash tag: in a
// Redis Cluster, all keys are in one slot, so that scripts reach them, and one
// shard carries them all. An ACL of ~{rely:1}:* is enough.
//
//	{rely:1}:s:KEY   a session: a hash of version, data, names, expires, holder, until
//	{rely:1}:n:NAME  a sorted set of the keys of sessions by when they expire
//	{rely:1}:o:KEY   a mark of what happened once
//
// Every key expires by Redis' own clock: a session at its time, an index with the
// last of its sessions, and members that have expired leave an index whenever it
// changes. Contents are what weblogin seals, and names are hashes.
package redisstore
