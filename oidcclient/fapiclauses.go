package oidcclient

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"slices"
)

const (
	specFAPI1    = "FAPI 1.0 Advanced"
	specFAPI2    = "FAPI 2.0 Security Profile"
	specFAPI2MS  = "FAPI 2.0 Message Signing"
	strongMethod = "is neither private_key_jwt nor a TLS method"
)

// clientClauses are the sentences about clients, in the order of the specifications.
func (f FAPI) clientClauses() []clause {
	switch f {
	case FAPI1Advanced:
		return slices.Concat(fapi1Client(), commonClient(specFAPI1, "8.6"))
	case FAPI2Security:
		return slices.Concat(fapi2Client(), commonClient(specFAPI2, "5.4.1 no. 1"))
	case FAPI2MessageSigning:
		return slices.Concat(fapi2Client(), messageSigningClient(), commonClient(specFAPI2, "5.4.1 no. 1"))
	case FAPINone:
		return nil
	}
	return []clause{{"", "", "FAPI", "is none of the constants", func(*Config, *ProviderMetadata) bool { return false }}}
}

// providerClauses are those about providers, as far as metadata tell.
func (f FAPI) providerClauses() []clause {
	switch f {
	case FAPI1Advanced:
		return slices.Concat(fapi1Provider(), commonProvider(specFAPI1, "5.2.2 no. 14", "8.6"),
			withBrowser(fapi1BrowserProvider(), requestSigningProvider(specFAPI1, "5.2.2 no. 1"), responseSigningProvider(specFAPI1, "5.2.2 no. 2")))
	case FAPI2Security:
		return slices.Concat(fapi2Provider(), commonProvider(specFAPI2, "5.3.2.1 no. 6", "5.4.1 no. 1"), withBrowser(fapi2BrowserProvider()))
	case FAPI2MessageSigning:
		return slices.Concat(fapi2Provider(), commonProvider(specFAPI2, "5.3.2.1 no. 6", "5.4.1 no. 1"),
			withBrowser(fapi2BrowserProvider(), requestSigningProvider(specFAPI2MS, "5.3.1"), responseSigningProvider(specFAPI2MS, "5.4.1")))
	}
	return nil
}

// withBrowser makes of sentences those that say nothing to a client without a redirect
// URI, whose grants no browser takes part in.
func withBrowser(sentences ...[]clause) []clause {
	all := slices.Concat(sentences...)
	for i := range all {
		holds := all[i].holds
		all[i].holds = func(c *Config, m *ProviderMetadata) bool { return c.RedirectURI == "" || holds(c, m) }
	}
	return all
}

// commonClient is what the profiles say of algorithms and keys alike.
func commonClient(spec, algorithms string) []clause {
	permitted := func(c *Config, alg string) bool { return alg == "" || slices.Contains(c.FAPI.algorithms(), alg) }
	return []clause{
		{spec, algorithms, "Algorithm", "is not permitted for ID tokens, or where it is left open one of the profile's is not", func(c *Config, _ *ProviderMetadata) bool {
			return !slices.ContainsFunc(c.algorithms(), func(alg string) bool { return !permitted(c, alg) })
		}},
		{spec, algorithms, "IntrospectionAlgorithm", "is not permitted", func(c *Config, _ *ProviderMetadata) bool { return permitted(c, c.IntrospectionAlgorithm) }},
		{spec, algorithms, "ResponseAlgorithm", "is not permitted", func(c *Config, _ *ProviderMetadata) bool { return permitted(c, c.ResponseAlgorithm) }},
		{spec, algorithms, "UserInfoAlgorithm", "is not permitted", func(c *Config, _ *ProviderMetadata) bool { return permitted(c, c.UserInfoAlgorithm) }},
		{spec, algorithms, "Key", "signs with an algorithm that is not permitted", func(c *Config, _ *ProviderMetadata) bool {
			return c.Key == nil || slices.Contains(c.FAPI.algorithms(), c.keyAlgorithm())
		}},
		{spec, "5", "Profile", "deviates from the standards", func(c *Config, _ *ProviderMetadata) bool { return len(c.Profile.Deviations) == 0 }},
		{spec, "5", "Profile", "identifies people by something else than an ID token", func(c *Config, _ *ProviderMetadata) bool {
			return c.Profile.Identity == IdentifyByIDToken || c.Profile.Identity == IdentifyNobody
		}},
	}
}

// keyAlgorithm is the one that the key signs with.
func (c *Config) keyAlgorithm() string {
	if c.Key.Algorithm != "" || c.Key.Signer == nil {
		return c.Key.Algorithm
	}
	switch key := c.Key.Signer.Public().(type) {
	case *rsa.PublicKey:
		return "RS256"
	case *ecdsa.PublicKey:
		if key.Curve.Params().BitSize != 256 {
			return "another ES"
		}
		return "ES256"
	}
	return "EdDSA"
}

func strong(method string) bool {
	return slices.Contains([]string{authPrivateKeyJWT, authTLS, authSelfSignedTLS}, method)
}

func fapi1Client() []clause {
	return []clause{
		{specFAPI1, "5.2.3 no. 1", "ClientCertificate", "is missing, and tokens are bound to it", func(c *Config, _ *ProviderMetadata) bool { return c.ClientCertificate != nil }},
		{specFAPI1, "5.2.2 no. 5", "DPoP", "binds tokens otherwise than to the certificate", func(c *Config, _ *ProviderMetadata) bool { return !c.DPoP }},
		{specFAPI1, "5.2.3 no. 2, 8", "Carriage", "does not put all parameters into a signed request object", func(c *Config, _ *ProviderMetadata) bool {
			return c.Carriage == CarryObject || c.Carriage == CarryReference || c.Carriage == CarryPushedObject
		}},
		{specFAPI1, "5.2.2 no. 2", "ResponseType", `is neither "code id_token" nor code with a signed response`, func(c *Config, _ *ProviderMetadata) bool {
			kind := c.responseType()
			return kind.code && !kind.accessToken && (kind.idToken || isSignedMode(c.ResponseMode))
		}},
		{specFAPI1, "5.2.2 no. 14", "AuthMethod", strongMethod, func(c *Config, _ *ProviderMetadata) bool { return strong(c.AuthMethod) }},
	}
}

func fapi2Client() []clause {
	return []clause{
		{specFAPI2, "5.3.3.1 no. 1", "DPoP", "is off and there is no ClientCertificate: nothing binds tokens", func(c *Config, _ *ProviderMetadata) bool {
			return c.DPoP || c.ClientCertificate != nil
		}},
		{specFAPI2, "5.3.3.1 no. 2", "AuthMethod", strongMethod, func(c *Config, _ *ProviderMetadata) bool { return strong(c.AuthMethod) }},
		{specFAPI2, "5.3.3.1 no. 5", "AssertionAudience", "is not the issuer", func(c *Config, _ *ProviderMetadata) bool {
			return c.AuthMethod != authPrivateKeyJWT || c.assertionAudience() == audienceIssuer || c.assertionAudience() == c.Issuer
		}},
		{specFAPI2, "5.3.3.1 no. 11", "Tenant", "has no issuer that the metadata could be held against", func(c *Config, _ *ProviderMetadata) bool { return c.Issuer != "" }},
		{specFAPI2, "5.3.3.2 no. 1", "ResponseType", "is not code", func(c *Config, _ *ProviderMetadata) bool { return c.responseType().name == typeCode }},
		{specFAPI2, "5.3.3.2 no. 2", "Carriage", "does not push requests", func(c *Config, _ *ProviderMetadata) bool { return c.Carriage.pushed() }},
	}
}

func messageSigningClient() []clause {
	return []clause{
		{specFAPI2MS, "5.3.2", "Carriage", "does not push signed request objects", func(c *Config, _ *ProviderMetadata) bool { return c.Carriage == CarryPushedObject }},
	}
}

// commonProvider is what both versions demand of client authentication and algorithms.
func commonProvider(spec, authentication, algorithms string) []clause {
	return []clause{
		{spec, authentication, "token_endpoint_auth_methods_supported", "lacks the client's method", func(c *Config, m *ProviderMetadata) bool { return allows(m.AuthMethods, c.AuthMethod) }},
		{spec, algorithms, "token_endpoint_auth_signing_alg_values_supported", "lacks the algorithm of the client's key", func(c *Config, m *ProviderMetadata) bool {
			return c.AuthMethod != authPrivateKeyJWT || c.Key == nil || allows(m.AuthAlgorithms, c.keyAlgorithm())
		}},
		{spec, algorithms, "id_token_signing_alg_values_supported", "has no algorithm that is accepted", func(c *Config, m *ProviderMetadata) bool {
			return c.Profile.Identity == IdentifyNobody || allows(m.IDTokenAlgorithms, c.algorithms()...)
		}},
	}
}

// requestSigningProvider is for clients with signed request objects.
func requestSigningProvider(spec, section string) []clause {
	return []clause{
		{spec, section, "request_object_signing_alg_values_supported", "lacks the algorithm of the client's key", func(c *Config, m *ProviderMetadata) bool {
			return c.Key == nil || allows(m.RequestObjectAlgorithms, c.keyAlgorithm())
		}},
	}
}

// responseSigningProvider is for clients that ask for signed responses.
func responseSigningProvider(spec, section string) []clause {
	return []clause{
		{spec, section, "authorization_signing_alg_values_supported", "has no algorithm that is accepted", func(c *Config, m *ProviderMetadata) bool {
			return !isSignedMode(c.ResponseMode) || allows(m.ResponseAlgorithms, c.responseAlgorithms()...)
		}},
		{spec, section, "response_modes_supported", "lacks the client's response mode", func(c *Config, m *ProviderMetadata) bool {
			return !isSignedMode(c.ResponseMode) || allows(m.ResponseModes, c.ResponseMode, map[string]string{modeJWT: modeQueryJWT}[c.ResponseMode])
		}},
	}
}

// boundByCertificate: the metadata have to say so, because nobody could tell from a
// token (RFC 8705 §3.3).
func boundByCertificate(c *Config, m *ProviderMetadata) bool {
	return c.DPoP || m.CertificateBoundAccessTokens
}

func fapi1Provider() []clause {
	return []clause{
		{specFAPI1, "5.2.2 no. 5, 6", "tls_client_certificate_bound_access_tokens", "is not true", boundByCertificate},
	}
}

func fapi1BrowserProvider() []clause {
	return []clause{
		{specFAPI1, "5.2.2 no. 2", "response_types_supported", "lacks the client's response type", func(c *Config, m *ProviderMetadata) bool {
			return allows(m.ResponseTypes, c.responseType().name)
		}},
		{specFAPI1, "5.2.2 no. 18", "code_challenge_methods_supported", "lacks S256, which goes with pushed requests", func(c *Config, m *ProviderMetadata) bool {
			return !c.Carriage.pushed() || allows(m.CodeChallengeMethods, "S256")
		}},
	}
}

func fapi2Provider() []clause {
	return []clause{
		{specFAPI2, "5.3.2.1 no. 4", "tls_client_certificate_bound_access_tokens", "is not true, and DPoP is off", boundByCertificate},
		{specFAPI2, "5.3.2.1 no. 4", "dpop_signing_alg_values_supported", "has no algorithm that is permitted", func(c *Config, m *ProviderMetadata) bool {
			return !c.DPoP || c.proofAlgorithm(m) != ""
		}},
	}
}

func fapi2BrowserProvider() []clause {
	return []clause{
		{specFAPI2, "5.3.2.2 no. 1", "response_types_supported", "lacks code", func(_ *Config, m *ProviderMetadata) bool { return allows(m.ResponseTypes, typeCode) }},
		{specFAPI2, "5.3.2.2 no. 2", "pushed_authorization_request_endpoint", "is missing", func(_ *Config, m *ProviderMetadata) bool {
			return m.PushedAuthorizationRequestEndpoint != ""
		}},
		{specFAPI2, "5.3.2.2 no. 5", "code_challenge_methods_supported", "lacks S256", func(_ *Config, m *ProviderMetadata) bool {
			return allows(m.CodeChallengeMethods, "S256")
		}},
		{specFAPI2, "5.3.2.2 no. 7", "authorization_response_iss_parameter_supported", "is not true", func(c *Config, m *ProviderMetadata) bool {
			return m.ResponseIssuerSupported || isSignedMode(c.ResponseMode) // which has iss in it
		}},
	}
}
