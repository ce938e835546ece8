package conformance

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"math/big"
	"net"
	"sync"
	"time"
)

// A Key is one of an OP's.
type Key struct {
	// JWK is what is published of it.
	JWK map[string]any
	// Private signs; nil where it is there to be published only.
	Private crypto.Signer
}

// ID returns the kid, "" where the key has none.
func (k Key) ID() string { id, _ := k.JWK["kid"].(string); return id }

// Unnamed returns the key without kid.
func (k Key) Unnamed() Key {
	out := Key{JWK: map[string]any{}, Private: k.Private}
	for name, value := range k.JWK {
		if name != "kid" {
			out.JWK[name] = value
		}
	}
	return out
}

// theRSAKey is the one RSA key that signs: they take long to make.
var theRSAKey = sync.OnceValue(func() *rsa.PrivateKey {
	return must(rsa.GenerateKey(rand.Reader, 2048))
})

// serverCertificate is that of every server here, also under a name of the public web.
// Package httptest's own is of RSA, whose signatures would be the most that tests do.
var serverCertificate = sync.OnceValue(func() tls.Certificate {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Unix(0, 0), NotAfter: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"example.com"}, BasicConstraintsValid: true, IsCA: true,
	}
	der := must(x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key))
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
})

func must[T any](value T, err error) T {
	if err != nil {
		panic("conformance: a key can't be made: " + err.Error())
	}
	return value
}

func number(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func jwk(kid, kty, alg, use string, more ...string) map[string]any {
	out := map[string]any{"kid": kid, "kty": kty, "alg": alg, "use": use}
	for i := 0; i < len(more); i += 2 {
		out[more[i]] = more[i+1]
	}
	return out
}

// RSAKey is the RSA key under a new kid.
func RSAKey() Key {
	key := theRSAKey()
	exponent := big.NewInt(int64(key.E)).Bytes()
	return Key{jwk(random(), "RSA", "RS256", "sig", "n", number(key.N.Bytes()), "e", number(exponent)), key}
}

// PSKey is the RSA key, published for PS256.
func PSKey() Key {
	key := RSAKey()
	key.JWK["alg"] = "PS256"
	return key
}

// OtherRSAKey is an RSA key of which nobody has the private part: any odd number
// does.
func OtherRSAKey(alg, use string) Key {
	n := make([]byte, 256)
	_, _ = rand.Read(n) // never fails
	n[0], n[255] = n[0]|0x80, n[255]|1
	return Key{JWK: jwk(random(), "RSA", alg, use, "n", number(n), "e", "AQAB")}
}

// ECKey is a new P-256 key.
func ECKey(alg, use string) Key {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	point := must(key.PublicKey.Bytes()) // 4, x, y
	return Key{jwk(random(), "EC", alg, use, "crv", "P-256", "x", number(point[1:33]), "y", number(point[33:])), key}
}

// EdKey is a new Ed25519 key.
func EdKey() Key {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	return Key{jwk(random(), "OKP", "EdDSA", "sig", "crv", "Ed25519", "x", number(public)), must(private, err)}
}

// koblitzPoints are the generator of secp256k1 (SEC 2 §2.4.1), twice and three times it.
var koblitzPoints = [][2]string{
	{"79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798", "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"},
	{"c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5", "1ae168fea63dc339a3c58419466ceaeef7f632653266d0e1236431a950cfe52a"},
	{"f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9", "388f7b0f632de8140fe337e62a37f3566500a99934c2231b6cb9fd7584b8e672"},
}

// KoblitzKey is the i-th key on secp256k1, of three, which a client need not know and must
// not trip over.
func KoblitzKey(i int) Key {
	x, y := must(hex.DecodeString(koblitzPoints[i][0])), must(hex.DecodeString(koblitzPoints[i][1]))
	return Key{JWK: jwk(random(), "EC", "ES256K", "sig", "crv", "secp256k1", "x", number(x), "y", number(y))}
}

// usualKeys are two of each kind that is used most, one of each other, and some for
// encryption: the same for every OP.
var usualKeys = sync.OnceValue(func() []Key {
	return []Key{
		RSAKey(), OtherRSAKey("RS256", "sig"), ECKey("ES256", "sig"), ECKey("ES256", "sig"), KoblitzKey(0), EdKey(),
		OtherRSAKey("RSA-OAEP", "enc"), ECKey("ECDH-ES", "enc"),
	}
})

// key returns the first key that signs with alg.
func (op *OP) key(alg string) (Key, bool) {
	family := map[string]string{"RS256": "RSA", "PS256": "RSA", "ES256": "EC", "EdDSA": "OKP"}[alg]
	for _, k := range op.Keys {
		if k.Private != nil && k.JWK["kty"] == family && k.JWK["use"] != "enc" {
			return k, true
		}
	}
	return Key{}, false
}
