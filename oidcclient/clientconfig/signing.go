package clientconfig

import (
	"cmp"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rely-go/rely/assertion"
	"github.com/rely-go/rely/internal/jose"
	"github.com/rely-go/rely/internal/jwx"
	"github.com/rely-go/rely/oidcclient"
)

// signs returns the algorithm by which the client signs, "" where no member says it,
// and the member that does. There is one key, and so one algorithm.
func (m *Client) signs() (alg, member string, wrong *Error) {
	for _, said := range []struct{ member, alg string }{
		{"token_endpoint_auth_signing_alg", m.TokenEndpointAuthSigningAlg},
		{"request_object_signing_alg", m.RequestObjectSigningAlg},
		{"backchannel_authentication_request_signing_alg", m.BackchannelAuthenticationRequestSigningAlg},
	} {
		switch {
		case said.alg == "", said.alg == "none" && said.member == "request_object_signing_alg",
			jose.Symmetric(said.alg) && said.member == "token_endpoint_auth_signing_alg" && m.TokenEndpointAuthMethod != "private_key_jwt":
			// The HS algorithms are client_secret_jwt's, which has no key.
		case jose.Symmetric(said.alg) || !jose.Known(said.alg):
			return "", "", &Error{Member: said.member, Reason: "is no algorithm of a private key"}
		case alg != "" && alg != said.alg:
			return "", "", &Error{Member: said.member, Reason: "differs from " + member + ", and there is one key"}
		default:
			alg, member = said.alg, said.member
		}
	}
	return alg, member, nil
}

// signingKey finds the key for assertions and request objects.
func (m *Client) signingKey(c *oidcclient.Config, dir string) *Error {
	alg, member, wrong := m.signs()
	if wrong != nil {
		return wrong
	}
	key, wrong := m.findKey(c, dir, alg)
	if wrong != nil {
		return wrong
	}
	if m.RequestObjectSigningAlg == "none" {
		c.RequestAlgorithm = "none"
	}
	switch objects := m.makesObjects(c); {
	case m.RequestObjectSigningAlg != "" && !objects:
		return &Error{Member: "request_object_signing_alg", Reason: "is only for request objects"}
	case m.RequireSignedRequestObject && !objects:
		return &Error{Member: "require_signed_request_object", Reason: "is true, and request says that there are none"}
	}
	switch {
	case key == nil && m.CertificateChainFile != "":
		return &Error{Member: "certificate_chain_file", Reason: "needs private_key_file"}
	case key == nil && m.RequestObjectSigningAlg != "" && c.RequestAlgorithm == "":
		return &Error{Member: "request_object_signing_alg", Reason: "needs private_key_file"}
	case key == nil:
		return nil
	}
	if alg != "" {
		if err := jose.Fits(alg, key.Signer.Public()); err != nil {
			return &Error{Member: member, Reason: "does not fit the client's key"}
		}
		key.Algorithm, c.AuthAlgorithm = alg, ""
	}
	if m.CertificateChainFile != "" {
		if key.Certificates, wrong = certificates(dir, "certificate_chain_file", m.CertificateChainFile); wrong != nil {
			return wrong
		}
	}
	c.Key = key
	return nil
}

// keyMember names the member that says how the client signs.
func (m *Client) keyMember() string {
	if _, member, wrong := m.signs(); wrong == nil && member != "" && (m.JWKS != nil || m.PrivateKeyFile != "") {
		return member
	}
	if m.JWKS != nil && m.PrivateKeyFile == "" {
		return "jwks"
	}
	return "private_key_file"
}

// makesObjects reports whether requests travel as request objects.
func (m *Client) makesObjects(c *oidcclient.Config) bool {
	switch c.Carriage {
	case oidcclient.CarryObject, oidcclient.CarryReference, oidcclient.CarryPushedObject:
		return true
	}
	signed := c.FAPI == oidcclient.FAPI1Advanced || c.FAPI == oidcclient.FAPI2MessageSigning
	return signed || c.Profile.Carriage == oidcclient.CarrySignedForm || m.Federation != nil
}

// findKey reads the key of private_key_file, or takes it out of jwks; nil where there
// is none. What else is in jwks is published.
func (m *Client) findKey(c *oidcclient.Config, dir, alg string) (*assertion.Key, *Error) {
	signers, published, err := m.signers(c)
	if err != nil {
		return nil, &Error{Member: "jwks", Reason: err.Error(), Err: err}
	}
	if m.PrivateKeyFile == "" {
		key, err := choose(c, signers, alg)
		if err != nil {
			return nil, &Error{Member: "jwks", Reason: err.Error(), Err: err}
		}
		c.PublishedKeys = append(c.PublishedKeys, published...)
		return key, nil
	}
	if len(signers) > 0 {
		return nil, &Error{Member: "private_key_file", Reason: "stands beside a signing key in jwks"}
	}
	text, wrong := read(dir, "private_key_file", m.PrivateKeyFile)
	if wrong != nil {
		return nil, wrong
	}
	key, err := parseKey(text)
	if err != nil {
		return nil, &Error{Member: "private_key_file", Reason: err.Error(), Err: err}
	}
	for _, other := range published {
		if public, ok := other.Public.(interface{ Equal(crypto.PublicKey) bool }); ok && public.Equal(key.Signer.Public()) {
			key.ID, key.Algorithm = cmp.Or(key.ID, other.ID), cmp.Or(key.Algorithm, other.Algorithm)
			continue
		}
		c.PublishedKeys = append(c.PublishedKeys, other)
	}
	return &key, nil
}

func parseKey(text []byte) (assertion.Key, error) {
	if strings.HasPrefix(strings.TrimSpace(string(text)), "{") {
		return assertion.ParseKeyJWK(text)
	}
	signer, err := assertion.ParseKeyPEM(text)
	return assertion.Key{Signer: signer}, err
}

// signers reads the keys for signatures in jwks: those that sign, and public ones.
func (m *Client) signers(c *oidcclient.Config) (keys []assertion.Key, published []oidcclient.PublishedKey, err error) {
	wrong := privateKeys("jwks", m.JWKS, func(text json.RawMessage, use string) error {
		switch {
		case m.decrypts(c, text, use):
			return nil
		case isPublic(text):
			public, err := oidcclient.ParsePublishedKeys(slices.Concat([]byte(`{"keys":[`), text, []byte(`]}`)))
			published = append(published, public...)
			return err
		}
		signer, id, alg, err := jwx.ParsePrivateKey(text)
		keys = append(keys, assertion.Key{Signer: signer, ID: id, Algorithm: alg})
		return err
	})
	if wrong != nil {
		return nil, nil, errors.New(wrong.Reason)
	}
	return keys, published, nil
}

// choose takes the key that signs: of several the one that fits the algorithm. The
// others are published beside it.
func choose(c *oidcclient.Config, keys []assertion.Key, alg string) (*assertion.Key, error) {
	if len(keys) < 2 {
		if len(keys) == 0 {
			return nil, nil
		}
		return &keys[0], nil
	}
	chosen := -1
	for i, key := range keys {
		if alg == "" || key.Algorithm != "" && key.Algorithm != alg || jose.Fits(alg, key.Signer.Public()) != nil {
			continue
		}
		if chosen >= 0 {
			return nil, fmt.Errorf("has several keys that sign with %s, and one can be used", alg)
		}
		chosen = i
	}
	if chosen < 0 {
		return nil, errors.New("has several keys that sign, and no member says by its algorithm which to use")
	}
	for i, key := range keys {
		if i != chosen {
			c.PublishedKeys = append(c.PublishedKeys, oidcclient.PublishedKey{ID: key.ID, Algorithm: key.Algorithm, Public: key.Signer.Public()})
		}
	}
	return &keys[chosen], nil
}
