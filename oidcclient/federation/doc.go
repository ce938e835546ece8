// Package federation finds providers, and lets a client be found, by OpenID Federation
// 1.0: instead of being configured for each other, both are known to a trust anchor, or
// to somebody whom a trust anchor knows.
//
// A [Resolver] collects the trust chain of a provider, from what it says about itself up
// to a trust anchor, verifies every statement of it, and applies the constraints and the
// metadata policies of those above. It is the ProviderSource of an [oidcclient.Config],
// so that a client is told about its provider by nobody else, and no longer than the
// chain holds. An [Entity] publishes what the client says about itself. Together they
// are Automatic Registration (§12.1): the client's identifier is its Entity Identifier,
// and its signed requests are what registers it.
//
// Explicit Registration (§12.2), a resolve endpoint of somebody else's (§8.3),
// signed_jwks_uri (§5.2.1) and the judging of trust marks (§7) are not here.
package federation
