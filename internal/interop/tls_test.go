package interop_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
)

// TestMutualTLS authenticates by certificate (RFC 8705 §2) at npm's oidc-provider,
// whose access tokens are then good with that certificate only (§3), so that
// userinfo shows that it is presented there too.
func TestMutualTLS(t *testing.T) {
	folder := t.TempDir()
	ca := newCertificate(t, "authority", nil)
	server, client := newCertificate(t, "provider", &ca), newCertificate(t, "relying party", &ca)
	stranger, selfSigned := newCertificate(t, "stranger", &ca), newCertificate(t, "self-signed", nil)
	key, err := x509.MarshalPKCS8PrivateKey(server.PrivateKey)
	require.NoError(t, err)
	writePEM(t, filepath.Join(folder, "server-key.pem"), "PRIVATE KEY", key)
	writePEM(t, filepath.Join(folder, "server.pem"), "CERTIFICATE", server.Certificate[0])
	writePEM(t, filepath.Join(folder, "ca.pem"), "CERTIFICATE", ca.Certificate[0])
	writePEM(t, filepath.Join(folder, "self-signed.pem"), "CERTIFICATE", selfSigned.Certificate[0])
	roots := x509.NewCertPool()
	roots.AddCert(ca.Leaf)

	rp := newRelyingParty(t)
	op := startOIDCProvider(t, rp, "TLS="+folder)
	login := func(t *testing.T, id, method string, certificate tls.Certificate) (*oidcclient.Session, error) {
		config := rp.config(op.issuer, id, "")
		config.AuthMethod, config.UserInfo = method, true
		config.ClientCertificate, config.RootCAs = &certificate, roots
		person := newBrowser(t, rp.origin)
		person.client.Transport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: roots}
		return person.login(t, newClient(t, config), offline())
	}
	for id, test := range map[string]struct {
		method       string
		right, other tls.Certificate
	}{
		"tls":             {"tls_client_auth", client, stranger},
		"tls-self-signed": {"self_signed_tls_client_auth", selfSigned, client},
	} {
		t.Run(id, func(t *testing.T) {
			session, err := login(t, id, test.method, test.right)
			require.NoError(t, err)
			assert.Equal(t, "alice", session.Subject())
			assert.True(t, session.HasUserInfo())

			_, err = login(t, id, test.method, test.other)
			var failed *oidcclient.Error
			require.ErrorAs(t, err, &failed, "with another certificate")
			assert.Equal(t, oidcclient.StepExchange, failed.Step)
			assert.Equal(t, "invalid_client", failed.Code)
		})
	}
	for name, fapi := range map[string]struct {
		id, home string
		profile  oidcclient.FAPI
		carriage oidcclient.Carriage
		mode     string
	}{
		"FAPI 1.0, detached signature":         {"fapi1-hybrid", "https://rp.example.test", oidcclient.FAPI1Advanced, oidcclient.CarryQuery, ""},
		"FAPI 1.0, detached signature, pushed": {"fapi1-hybrid", "https://rp.example.test", oidcclient.FAPI1Advanced, oidcclient.CarryPushed, ""},
		"FAPI 1.0, signed response":            {"fapi1", rp.origin, oidcclient.FAPI1Advanced, oidcclient.CarryQuery, "jwt"},
		"FAPI 1.0, signed response, pushed":    {"fapi1", rp.origin, oidcclient.FAPI1Advanced, oidcclient.CarryPushed, "jwt"},
		"FAPI 2.0 by certificate":              {"fapi-tls", rp.origin, oidcclient.FAPI2Security, oidcclient.CarryQuery, ""},
		"FAPI 2.0 signed by certificate":       {"fapi-tls", rp.origin, oidcclient.FAPI2MessageSigning, oidcclient.CarryQuery, ""},
	} {
		t.Run(name, func(t *testing.T) {
			config := rp.config(op.issuer, fapi.id, "")
			config.FAPI, config.Key, config.UserInfo = fapi.profile, rp.key(t, "PS256"), true
			config.Carriage, config.ResponseMode, config.RedirectURI = fapi.carriage, fapi.mode, fapi.home+"/callback"
			config.ClientCertificate, config.RootCAs = &client, roots
			person := newBrowser(t, fapi.home)
			person.client.Transport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: roots}
			c := newClient(t, config)
			session, err := person.login(t, c, offline())
			require.NoError(t, err)
			assert.Equal(t, "alice", session.Subject())
			assert.True(t, session.HasUserInfo(), "by the certificate that the token is bound to")
			fresh, err := c.Refresh(t.Context(), session)
			require.NoError(t, err)
			_, err = c.UserInfo(t.Context(), fresh)
			require.NoError(t, err)
		})
	}
	t.Run("without the provider's root", func(t *testing.T) {
		config := rp.config(op.issuer, "tls", "")
		config.AuthMethod, config.ClientCertificate = "tls_client_auth", &client
		_, _, err := newClient(t, config).Begin(t.Context(), oidcclient.BeginOptions{})
		var unknown x509.UnknownAuthorityError
		require.ErrorAs(t, err, &unknown)
	})
}

// newCertificate makes a key and its certificate, by issuer or signed by itself.
func newCertificate(t *testing.T, name string, issuer *tls.Certificate) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, BasicConstraintsValid: true, IsCA: issuer == nil,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	parent, signer := template, any(key)
	if issuer != nil {
		parent, signer = issuer.Leaf, issuer.PrivateKey
		template.KeyUsage = x509.KeyUsageDigitalSignature
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func writePEM(t *testing.T, file, kind string, der []byte) {
	t.Helper()
	text := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	require.NoError(t, os.WriteFile(file, text, 0o600))
}
