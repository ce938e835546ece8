package certchain

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"math/big"
	"testing"
	"time"
)

// FuzzParse: an entry of x5c that is read as DER is the only text of its
// certificate, and one that is read as PEM holds a certificate that is.
func FuzzParse(f *testing.F) {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Unix(1_780_000_000, 0), NotAfter: time.Unix(1_800_000_000, 0)}
	der, err := x509.CreateCertificate(nil, template, template, key.Public(), key)
	if err != nil {
		f.Fatal(err)
	}
	good := base64.StdEncoding.EncodeToString(der)
	f.Add(good)
	f.Add(good + "\n")
	f.Add(good[:len(good)-4])
	f.Add(base64.StdEncoding.EncodeToString([]byte("-----BEGIN CERTIFICATE-----\n" + good + "\n-----END CERTIFICATE-----\n")))
	f.Fuzz(func(t *testing.T, entry string) {
		cert, err := ParseLeaf([]string{entry})
		if err == nil && EncodeX5C([]*x509.Certificate{cert})[0] != entry {
			t.Fatal("another text of a certificate was read")
		}
		if err != nil && len(err.Error()) >= 300 {
			t.Fatalf("error of %d bytes", len(err.Error()))
		}
		for _, pemTail := range []bool{false, true} {
			others, err := ParseOthers([]string{"", entry}, pemTail)
			if err != nil {
				continue
			}
			if _, err := ParseLeaf(EncodeX5C(others)); err != nil {
				t.Fatal("a certificate that was read is not read again")
			}
		}
	})
}
