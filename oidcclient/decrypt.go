package oidcclient

import (
	"context"
	"errors"
	"strings"

	"github.com/rely-go/rely/internal/jwe"
)

// A DecryptionKey is a private key to which the provider encrypts.
type DecryptionKey struct {
	// ID is the kid under which the key is published; "" for a key without one.
	ID string
	// Algorithm is the one alg for which the key is used; "" means each that fits.
	Algorithm string
	// Private is a crypto.Decrypter with an RSA public key, an *ecdsa.PrivateKey, or
	// an ecdh.KeyExchanger of P-256, P-384, P-521 or X25519, so that a key in an HSM
	// works. One beyond a network may have DecryptContext or ECDHContext, which is the
	// same with a context before the other arguments. When it is not reached, it returns a
	// [net.Error] or a context's error, which is [FaultOutage]: any other means that the
	// token can't be decrypted.
	Private any
	// Unpublished keeps the key out of [Client.PublicJWKS]. It decrypts all the same:
	// before every machine has it, and while the provider may still use what it has
	// fetched before.
	Unpublished bool
}

// Encrypted says how the provider encrypts one kind of token to this client: the
// one pair of algorithms that is accepted (RFC 7518 §4.1, §5.1). A token that comes
// unencrypted all the same is refused. Nil means that nothing was agreed, and then
// an encrypted token is refused.
type Encrypted struct {
	// Algorithm is alg: RSA-OAEP-256, RSA-OAEP, ECDH-ES, ECDH-ES+A128KW,
	// ECDH-ES+A192KW or ECDH-ES+A256KW.
	Algorithm string
	// Encoding is enc: A128CBC-HS256, A192CBC-HS384, A256CBC-HS512, A128GCM, A192GCM
	// or A256GCM; "" means A128CBC-HS256, as registered.
	Encoding string
}

func (e *Encrypted) encoding() string {
	if e.Encoding == "" {
		return "A128CBC-HS256"
	}
	return e.Encoding
}

// maxEncrypted bounds an encrypted token, in bytes: what it holds is bounded by
// that.
const maxEncrypted = 128 << 10

// decryptionKeys checks the keys and what was agreed.
func (c *Config) decryptionKeys() ([]jwe.Key, *ConfigError) {
	var keys []jwe.Key
	for _, k := range c.DecryptionKeys {
		key, err := jwe.NewKey(k.ID, k.Algorithm, k.Private)
		if err != nil {
			return nil, &ConfigError{Field: "DecryptionKeys", Reason: err.Error(), Err: err}
		}
		keys = append(keys, key)
	}
	for _, agreed := range []struct {
		field string
		how   *Encrypted
	}{{"IDTokenEncrypted", c.IDTokenEncrypted}, {"UserInfoEncrypted", c.UserInfoEncrypted}, {"ResponseEncrypted", c.ResponseEncrypted}, {"IntrospectionEncrypted", c.IntrospectionEncrypted}} {
		if agreed.how == nil {
			continue
		}
		if !jwe.KnownAlgorithm(agreed.how.Algorithm) || !jwe.KnownEncryption(agreed.how.encoding()) {
			return nil, wrong(agreed.field, "has an algorithm that is not offered")
		}
		fits := false
		for i, key := range keys {
			fits = fits || key.Fits(agreed.how.Algorithm) && !c.DecryptionKeys[i].Unpublished
		}
		if !fits {
			return nil, wrong(agreed.field, "is agreed, and no key for decryption that is published fits it")
		}
	}
	return keys, nil
}

// decrypted returns what is in an encrypted token, or the token as it is where no
// encryption was agreed: what is returned is believed by its signature only. text
// reports that the sender calls it something else than a JWT.
func (c *Client) decrypted(ctx context.Context, step Step, agreed *Encrypted, raw string) (inner string, text bool, err error) {
	if agreed == nil {
		return raw, false, nil
	}
	if strings.Count(raw, ".") != 4 {
		return "", false, refuse(step, "encryption", "token is not encrypted, and that was agreed")
	}
	token, err := jwe.Parse(raw, maxEncrypted)
	if err != nil {
		return "", false, refuse(step, "encryption", "token is no JWE of the agreed kind")
	}
	plain, err := token.Decrypt(ctx, jwe.Agreed{Algorithms: []string{agreed.Algorithm}, Encryptions: []string{agreed.encoding()}}, c.decrypt)
	switch {
	case errors.Is(err, jwe.ErrAlgorithm):
		return "", false, refuse(step, "encryption", "token is encrypted with other algorithms than were agreed ("+agreed.Algorithm+", "+agreed.encoding()+")")
	case errors.Is(err, jwe.ErrKey), errors.Is(err, jwe.ErrDecrypt):
		return "", false, refuse(step, "encryption", "token can't be decrypted")
	case err != nil:
		return "", false, keyFails(ctx, step, "decryption key is not reached", err)
	}
	return string(plain), !strings.EqualFold(token.ContentType, "JWT"), nil
}
