package oidcclient

import (
	"crypto/rsa"
	"slices"
)

// FAPI is a profile of the OpenID Foundation for what must not go wrong. It is one
// switch: it chooses what a [Config] leaves open, and [New] refuses what contradicts
// it, by the clause of the specification. What the provider publishes is held against
// it too, at the latest when the provider is found: the [*Error] then has the Check
// "fapi".
type FAPI uint8

const (
	// FAPINone is no profile.
	FAPINone FAPI = iota
	// FAPI1Advanced is FAPI 1.0 Part 2: Advanced: signed request objects, an ID token
	// beside the code as its detached signature ("code id_token") or signed responses,
	// private_key_jwt or TLS authentication, tokens bound to the client's certificate.
	FAPI1Advanced
	// FAPI2Security is the FAPI 2.0 Security Profile: pushed requests, the code flow with
	// PKCE and iss, private_key_jwt or TLS authentication, tokens bound by DPoP or to
	// the client's certificate.
	FAPI2Security
	// FAPI2MessageSigning is FAPI 2.0 Message Signing: the Security Profile with signed
	// request objects, and with signed responses unless ResponseMode says otherwise.
	FAPI2MessageSigning
)

// String returns the name of the specification.
func (f FAPI) String() string {
	switch f {
	case FAPI1Advanced:
		return "FAPI 1.0 Advanced"
	case FAPI2Security:
		return "FAPI 2.0 Security Profile"
	case FAPI2MessageSigning:
		return "FAPI 2.0 Message Signing"
	}
	return "no FAPI profile"
}

// algorithms are those with which JWTs may be signed, by either side.
func (f FAPI) algorithms() []string {
	switch f {
	case FAPI1Advanced:
		return []string{"PS256", "ES256"}
	case FAPI2Security, FAPI2MessageSigning:
		return []string{"PS256", "ES256", "EdDSA"}
	}
	return nil
}

// FAPI returns the profile that the client keeps to.
func (c *Client) FAPI() FAPI { return c.cfg.FAPI }

// fillFAPI chooses what a configuration leaves open.
func (c *Config) fillFAPI() {
	if c.FAPI == FAPINone {
		return
	}
	signedByUs := c.FAPI != FAPI2Security
	if c.AuthMethod == "" {
		if c.AuthMethod = authPrivateKeyJWT; c.Key == nil && c.ClientCertificate != nil {
			c.AuthMethod = authTLS
		}
	}
	if c.Key != nil && c.Key.Algorithm == "" && c.Key.Signer != nil {
		if _, ok := c.Key.Signer.Public().(*rsa.PublicKey); ok {
			c.Key.Algorithm = "PS256" // RS256 otherwise
		}
	}
	switch carriage := c.Carriage; {
	case carriage == CarryQuery && c.FAPI == FAPI1Advanced:
		c.Carriage = CarryObject
	case carriage == CarryPushed && signedByUs, carriage == CarryQuery && signedByUs:
		c.Carriage = CarryPushedObject
	case carriage == CarryQuery:
		c.Carriage = CarryPushed
	}
	c.fillResponse()
	if c.FAPI == FAPI1Advanced {
		return
	}
	if c.ClientCertificate == nil {
		c.DPoP = true
	}
}

// fillResponse chooses between an ID token beside the code and a signed response: what
// was said of signed responses, or of nobody being identified, leaves the latter only.
func (c *Config) fillResponse() {
	signed := c.FAPI == FAPI2MessageSigning || c.ResponseAlgorithm != "" || c.ResponseEncrypted != nil
	if c.FAPI == FAPI1Advanced {
		signed = signed || c.ResponseType == typeCode || c.Profile.Identity == IdentifyNobody
	}
	switch {
	case c.ResponseMode == "" && signed:
		c.ResponseMode = modeJWT
	case c.FAPI == FAPI1Advanced && c.ResponseType == "" && !isSignedMode(c.ResponseMode):
		c.ResponseType = "code id_token"
	}
}

// A clause is a sentence of a specification that a client or its provider can fail.
type clause struct {
	spec, section string
	subject       string // a field of Config, or a member of the metadata
	demand        string // in words of ours
	holds         func(*Config, *ProviderMetadata) bool
}

func (c clause) reason() string {
	if c.spec == "" {
		return c.demand
	}
	return c.demand + " (" + c.spec + " §" + c.section + ")"
}

// checkFAPI holds a configuration against the profile's clauses about clients.
func (c *Config) checkFAPI() *ConfigError {
	for _, clause := range c.FAPI.clientClauses() {
		if !clause.holds(c, nil) {
			return wrong(clause.subject, "%s", clause.reason())
		}
	}
	return nil
}

// checkFAPIProvider holds metadata against the profile's clauses about providers.
func (c *Config) checkFAPIProvider(m *ProviderMetadata) *Error {
	for _, clause := range c.FAPI.providerClauses() {
		if !clause.holds(c, m) {
			e := providerFault(StepDiscover, 0, clause.subject+" "+clause.reason())
			e.Check = "fapi"
			return e
		}
	}
	return nil
}

// allows reports whether a list of the metadata has one of the values. A list that is
// not there says nothing.
func allows(list []string, values ...string) bool {
	return list == nil || slices.ContainsFunc(values, func(v string) bool { return slices.Contains(list, v) })
}
