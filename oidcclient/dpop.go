package oidcclient

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/rely-go/rely/assertion"
	"github.com/rely-go/rely/internal/challenge"
	"github.com/rely-go/rely/internal/fetch"
	"github.com/rely-go/rely/internal/strictjson"
)

// errUseNonce is the error by which a server asks for a proof with its nonce (RFC
// 9449 §8, §9).
const errUseNonce = "use_dpop_nonce"

// proofAlgorithm chooses the algorithm of new proof keys: the cheapest that the
// provider takes and a FAPI profile permits, ES256 where the provider says nothing. ""
// means that there is none.
func (c *Config) proofAlgorithm(m *ProviderMetadata) string {
	for _, alg := range []string{"ES256", "EdDSA", "ES384", "ES512", "PS256"} {
		permitted := c.FAPI == FAPINone || slices.Contains(c.FAPI.algorithms(), alg)
		if permitted && (m.DPoPAlgorithms == nil || slices.Contains(m.DPoPAlgorithms, alg)) {
			return alg
		}
	}
	return ""
}

// newProofKey makes the key of one login, or returns nil where tokens are not bound.
func (c *Client) newProofKey(step Step, m *ProviderMetadata) (*keptProofKey, error) {
	if !c.cfg.DPoP {
		return nil, nil
	}
	key, err := assertion.NewProofKey(c.cfg.proofAlgorithm(m))
	if err != nil {
		return nil, providerFault(step, 0, "provider takes no algorithm that proofs are made with")
	}
	pkcs8, err := key.PKCS8()
	if err != nil {
		return nil, providerFault(step, 0, "proof key can't be kept")
	}
	return &keptProofKey{pkcs8: pkcs8, key: key}, nil
}

// ownProofKey is the key of tokens that are not a login's, which is made when it is
// needed and then lives as long as the client: what is bound to it is of no use with
// another. It is safe for concurrent use.
type ownProofKey struct {
	mu  sync.Mutex // guards key
	key *keptProofKey
}

// get makes the key, or another one where the provider does not take the algorithm of the
// last any more. Nil where tokens are not bound.
func (o *ownProofKey) get(c *Client, m *ProviderMetadata) (key *keptProofKey, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.key != nil && (m.DPoPAlgorithms == nil || slices.Contains(m.DPoPAlgorithms, o.key.get().Algorithm())) {
		return o.key, nil
	}
	o.key, err = c.newProofKey(StepGrant, m)
	return o.key, err
}

// last returns the key, or nil where none was needed.
func (o *ownProofKey) last() *keptProofKey {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.key
}

// keptProofKey is a proof key as it is sealed. It is read when somebody needs it: a
// session in a cookie is opened with every request.
type keptProofKey struct {
	pkcs8 []byte
	once  sync.Once
	key   *assertion.ProofKey
}

// openProofKey is for what was sealed: nobody without the sealing key can have
// written it.
func openProofKey(pkcs8 []byte) *keptProofKey {
	if len(pkcs8) == 0 {
		return nil
	}
	return &keptProofKey{pkcs8: pkcs8}
}

func (k *keptProofKey) get() *assertion.ProofKey {
	if k == nil {
		return nil
	}
	k.once.Do(func() {
		if k.key == nil {
			// A zero key instead of nil, so that what can't be read is an error when
			// it signs, and never a token that is sent as if it were not bound.
			if k.key, _ = assertion.ParseProofKey(k.pkcs8); k.key == nil {
				k.key = &assertion.ProofKey{}
			}
		}
	})
	return k.key
}

func (k *keptProofKey) sealed() []byte {
	if k == nil {
		return nil
	}
	return k.pkcs8
}

// nonces are the DPoP nonces that servers gave last, by origin (RFC 9449 §8.2).
// The zero value is empty. It is safe for concurrent use.
type nonces struct {
	mu   sync.Mutex // guards last
	last map[string]string
}

// maxNonce bounds a nonce, in bytes, and maxOrigins the servers whose nonces are
// kept.
const (
	maxNonce   = 512
	maxOrigins = 64
)

// of returns the nonce for a request to a URL; "" where there is none.
func (n *nonces) of(u *url.URL) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.last[origin(u)]
}

// learn keeps the nonce that an answer brings, and returns it; "" where it brings
// none that can be used.
func (n *nonces) learn(u *url.URL, header http.Header) string {
	values := header.Values("DPoP-Nonce")
	if len(values) != 1 || !isNonce(values[0]) {
		return ""
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.last == nil {
		n.last = map[string]string{}
	}
	o := origin(u)
	if _, known := n.last[o]; !known && len(n.last) >= maxOrigins {
		for other := range n.last { // any of them: it is learnt again when it is needed
			delete(n.last, other)
			break
		}
	}
	n.last[o] = values[0]
	return values[0]
}

// isNonce holds a nonce to the characters that one may have (RFC 9449 §8.1, RFC
// 6749 appendix A).
func isNonce(nonce string) bool {
	return nonce != "" && len(nonce) <= maxNonce && strings.IndexFunc(nonce, func(r rune) bool {
		return r < 0x21 || r > 0x7e || r == '"' || r == '\\'
	}) < 0
}

// wantsNonce reports whether an answer of the provider's own endpoints asks for a
// proof with a nonce (RFC 9449 §8).
func wantsNonce(got *fetch.Answer) bool {
	if got.Status != http.StatusBadRequest && got.Status != http.StatusUnauthorized {
		return false
	}
	object, err := strictjson.ParseObject(got.Body, maxDepth)
	if err != nil {
		return false
	}
	code, _, err := object.String("error")
	return err == nil && code == errUseNonce
}

// wantsNonceAtAPI reports the same of an API's answer (RFC 9449 §9).
func wantsNonceAtAPI(status int, header http.Header) bool {
	if status != http.StatusUnauthorized {
		return false
	}
	c, ok := challenge.Find(header.Values("WWW-Authenticate"), "dpop")
	return ok && c.Params["error"] == errUseNonce
}
