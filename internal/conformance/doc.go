// Package conformance holds, under their names, the tests of the OpenID
// Foundation's conformance suite for relying parties: what each module's provider
// does, done by an [OP], and what the relying party has to do then, asserted of
// this library, with its own error and with the calls that must not come.
// testdata/modules.txt lists the modules; a test fails for one that is listed and
// not there, or there and not listed. What the suite can't see is in modules whose
// names begin with beyond-.
//
// The suite itself is Java and asks a whole application; nothing here is copied
// from it, and passing these tests is no certification. They answer in seconds, and
// they see what it can't: why a login was refused.
//
// Where the suite lets both pass, this library refuses: an ID token without a signature
// (idtoken-sig-none), keys that can't be told apart (kid-absent-multiple-jwks), claims of
// somebody else that nobody has signed. Of the module aggregated-claims, whose claims are
// of alg none, the login is finished, and the claims are left out.
//
// An [OP] says what it is told to say, right or wrong, in any response type.
// Package oidctest has providers that behave, for the users of this library; they
// refuse what a provider refuses, so that they can't play most of these parts. Like
// them, an OP imports nothing of the library: it would share the mistakes.
package conformance
