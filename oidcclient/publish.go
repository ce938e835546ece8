package oidcclient

import (
	"crypto"
	"errors"

	"github.com/rely-go/rely/assertion"
	"github.com/rely-go/rely/internal/jose"
	"github.com/rely-go/rely/internal/jwx"
)

// A PublishedKey is a public key for signatures of this client that [Client.PublicJWKS]
// publishes beside the Key that signs now: the next one or the last one.
//
// To change [Config.Key] so that no provider refuses anything in between (OpenID
// Connect Core §10.1.1):
//
//  1. Put the next key into PublishedKeys, on all machines. The old one signs.
//  2. Wait until every provider has fetched the set anew: as long as it may be cached,
//     which package weblogin limits to five minutes, and providers with minds of their
//     own to a day.
//  3. Make the next key the Key, and put the public half of the old one into
//     PublishedKeys. Machines that have not been told yet go on with the old one.
//  4. When all machines sign with the new key, and what the old one signed has ended
//     (at most five minutes), take the old one out.
//
// A provider that has the keys by value instead of an address has to be told at 1 and 4.
type PublishedKey struct {
	// ID is the kid, by which a provider tells the keys apart. Required, and no other
	// key's.
	ID string
	// Algorithm is the JWS algorithm that the key is for; "" means RS256 for an RSA
	// key, and the one of its curve for another.
	Algorithm string
	// Public is an *rsa.PublicKey of 2048 to 8192 bits, an *ecdsa.PublicKey of P-256,
	// P-384 or P-521, or an ed25519.PublicKey. Required.
	Public crypto.PublicKey
}

// maxPublished bounds a set that providers fetch again and again.
const maxPublished = 20

// ParsePublishedKeys reads a JWK Set (RFC 7517 §5) of one to twenty public keys for
// [Config.PublishedKeys]. It refuses the whole set for a key that is private, weak or
// not for signatures.
func ParsePublishedKeys(jwks []byte) ([]PublishedKey, error) {
	keys, err := jwx.ParsePublicSet(jwks, maxPublished)
	if err != nil {
		return nil, errors.New("oidcclient: " + err.Error())
	}
	published := make([]PublishedKey, 0, len(keys))
	for _, key := range keys {
		if key.Use != "" && key.Use != "sig" {
			return nil, errors.New("oidcclient: JWK Set has a key that is not for signatures")
		}
		published = append(published, PublishedKey{ID: key.ID, Algorithm: key.Algorithm, Public: key.Public})
	}
	return published, nil
}

// algorithm returns Algorithm, or the usual one of the key.
func (k *PublishedKey) algorithm() string {
	if k.Algorithm != "" {
		return k.Algorithm
	}
	return jose.Usual(k.Public)
}

// checkPublished refuses sets of which a provider could not tell the keys apart, or
// that hold what is not to be published.
func (c *Config) checkPublished() *ConfigError {
	used := map[string]bool{}
	if c.Key != nil {
		used[c.Key.ID] = true
	}
	for _, k := range c.DecryptionKeys {
		if k.ID != "" && used[k.ID] {
			return wrong("DecryptionKeys", "have a kid that another key has")
		}
		used[k.ID] = true
	}
	if len(c.PublishedKeys) > maxPublished {
		return wrong("PublishedKeys", "are more than %d", maxPublished)
	}
	if len(c.PublishedKeys) > 0 && c.Key != nil && c.Key.ID == "" && max(c.Key.Naming, c.Profile.Assertion.Naming) == assertion.NameKeyID {
		return wrong("Key", "has no ID, by which it could be told from PublishedKeys")
	}
	for i := range c.PublishedKeys {
		k := &c.PublishedKeys[i]
		switch _, private := k.Public.(interface{ Public() crypto.PublicKey }); {
		case private:
			return wrong("PublishedKeys", "have a private key")
		case k.ID == "":
			return wrong("PublishedKeys", "have a key without ID")
		case used[k.ID]:
			return wrong("PublishedKeys", "have a kid that another key has")
		}
		if err := jose.Fits(k.algorithm(), k.Public); err != nil {
			return &ConfigError{Field: "PublishedKeys", Reason: err.Error(), Err: err}
		}
		used[k.ID] = true
	}
	return nil
}

// PublicJWKS returns the JWK Set (RFC 7517 §5) for a provider that fetches it: of the
// keys to which the provider encrypts, the key with which this client signs, and
// [Config.PublishedKeys]; an empty set when there are none.
func (c *Client) PublicJWKS() ([]byte, error) {
	keys := c.encryptionKeys()
	if k := c.cfg.Key; k != nil && k.Signer != nil {
		for _, signer := range []*assertion.Signer{c.requests, c.auth.signer} {
			if signer != nil && !isHMAC(signer.Algorithm()) {
				keys = append(keys, jwx.Key{ID: k.ID, Algorithm: signer.Algorithm(), Use: "sig", Public: k.Signer.Public()})
				break
			}
		}
	}
	for _, k := range c.cfg.PublishedKeys {
		keys = append(keys, jwx.Key{ID: k.ID, Algorithm: k.algorithm(), Use: "sig", Public: k.Public})
	}
	if len(keys) == 0 {
		return []byte(`{"keys":[]}`), nil
	}
	return jwx.MarshalPublic(keys)
}

// encryptionKeys lists the public halves of what decrypts, for the provider.
func (c *Client) encryptionKeys() []jwx.Key {
	var keys []jwx.Key
	for i, k := range c.decrypt {
		if !c.cfg.DecryptionKeys[i].Unpublished {
			keys = append(keys, jwx.Key{ID: k.ID(), Algorithm: k.Algorithm(), Use: "enc", Public: k.Public()})
		}
	}
	return keys
}
