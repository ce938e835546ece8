package clientconfig_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/clientconfig"
	"github.com/rely-go/rely/oidcclient/oidctest"
	"github.com/rely-go/rely/oidcclient/oidctest/relying"
)

const secret = "s3cr3t-value"

func read(text, dir string) (map[string]*oidcclient.Client, error) {
	file, err := clientconfig.Read(strings.NewReader(text), dir)
	if err != nil {
		return nil, err
	}
	return file.New(nil)
}

// acme is a good client with further members.
func acme(more string) string {
	return `{"base_url":"http://127.0.0.1:8080","clients":{"acme":{"profile":"oidc","issuer":"https://op.example",
		"client_id":"c","client_secret":"` + secret + `","redirect_uris":["http://127.0.0.1:8080/callback/acme"]` + more + `}}}`
}

func TestRead(t *testing.T) {
	file, err := clientconfig.Read(strings.NewReader(acme(`,"scope":"openid email","userinfo":true,"default_max_age":60,
		"default_acr_values":["a","b"],"min_acr":"a","response_type":"code","response_mode":"form_post",
		"token_endpoint_auth_method":"client_secret_post","id_token_signed_response_alg":"ES256",
		"post_logout_redirect_uris":["http://127.0.0.1:8080/"],"client_assertion_audience":"token_endpoint",
		"provider_metadata":{"token_endpoint":"https://op.example/t","something_else":1}`)), "")
	require.Error(t, err, "an unknown member of the metadata given by hand is a mistake too")
	assert.Nil(t, file)

	file, err = clientconfig.Read(strings.NewReader(acme(`,"scope":"openid email","userinfo":true,"default_max_age":60,
		"default_acr_values":["a","b"],"min_acr":"a","response_type":"code","response_mode":"form_post",
		"token_endpoint_auth_method":"client_secret_post","id_token_signed_response_alg":"ES256",
		"post_logout_redirect_uris":["http://127.0.0.1:8080/"],"client_assertion_audience":"token_endpoint",
		"provider_metadata":{"token_endpoint":"https://op.example/t"}`)), "")
	require.NoError(t, err)
	assert.Equal(t, "http://127.0.0.1:8080", file.BaseURL)
	c := file.Clients["acme"]
	assert.Equal(t, "oidc", c.Profile.Name)
	assert.Equal(t, []string{"openid", "email"}, c.Scopes)
	assert.True(t, c.UserInfo)
	assert.Equal(t, time.Minute, *c.MaxAge)
	assert.Equal(t, []string{"a", "b"}, c.ACRValues)
	assert.Equal(t, "a", c.MinACR)
	assert.Equal(t, "form_post", c.ResponseMode)
	assert.Equal(t, "client_secret_post", c.AuthMethod)
	assert.Equal(t, "ES256", c.Algorithm)
	assert.Equal(t, "http://127.0.0.1:8080/", c.PostLogoutRedirectURI)
	assert.Equal(t, "token_endpoint", c.AssertionAudience)
	assert.Equal(t, "https://op.example/t", c.Provider.TokenEndpoint)
	clients, err := file.New(nil)
	require.NoError(t, err)
	assert.Equal(t, "https://op.example", clients["acme"].Issuer())
}

func TestRequestMembers(t *testing.T) {
	dir := t.TempDir()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
	const signed = `,"private_key_file":"key.pem","request_object_signing_alg":"ES256"`
	for more, want := range map[string]oidcclient.Carriage{
		"":                             oidcclient.CarryQuery,
		`,"request":"none"`:            oidcclient.CarryQuery,
		`,"request":"pushed"`:          oidcclient.CarryPushed,
		`,"request":"object"` + signed: oidcclient.CarryObject,
		`,"request":"pushed"` + signed: oidcclient.CarryPushedObject,
		`,"require_pushed_authorization_requests":true`:                    oidcclient.CarryPushed,
		`,"request":"uri","request_object_signing_alg":"none"`:             oidcclient.CarryReference,
		`,"request":"pushed","require_pushed_authorization_requests":true`: oidcclient.CarryPushed,
	} {
		file, err := clientconfig.Read(strings.NewReader(acme(more)), dir)
		require.NoError(t, err, more)
		assert.Equal(t, want, file.Clients["acme"].Carriage, more)
		_, err = file.New(nil)
		assert.NoError(t, err, more)
	}
	file, err := clientconfig.Read(strings.NewReader(acme(`,"prompt":"login consent","login_hint":"anna","ui_locales":"nb en",
		"claims":{"userinfo":{"email":null}},"authorization_details":[{"type":"payment"}],"resource_indicators":["https://api.example"],"resource":"https://api.example/me"`)), dir)
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"acme": "https://api.example/me"}, file.Resources)
	assert.Equal(t, oidcclient.BeginOptions{
		Prompt: []string{"login", "consent"}, LoginHint: "anna", UILocales: []string{"nb", "en"}, Claims: `{"userinfo":{"email":null}}`,
		AuthorizationDetails: `[{"type":"payment"}]`, Resources: []string{"https://api.example"},
	}, file.Clients["acme"].Authorize)
	_, err = file.New(nil)
	assert.NoError(t, err)
	for more, member := range map[string]string{
		`,"request":"url"`: "request", `,"request":"object","require_pushed_authorization_requests":true`: "request",
		`,"request":"object"`: "private_key_file", `,"private_key_file":"key.pem","request_object_signing_alg":"ES256"`: "request_object_signing_alg",
		`,"request":"pushed","request_object_signing_alg":"none"`: "request_object_signing_alg", `,"request_object_signing_alg":"none"`: "request_object_signing_alg",
		`,"resource":"/me"`: "resource", `,"claims":[]`: "claims", `,"authorization_details":[{}]`: "authorization_details", `,"resource_indicators":["x"]`: "resource_indicators", `,"prompt":"none login"`: "prompt",
	} {
		_, err := read(acme(more), dir)
		var wrong *clientconfig.Error
		require.ErrorAs(t, err, &wrong, more)
		assert.Equal(t, member, wrong.Member, more)
	}
}

// ecJWK is the private JWK of a new P-256 key.
func ecJWK(t *testing.T, more string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	private, err := key.Bytes()
	require.NoError(t, err)
	public, err := key.PublicKey.Bytes()
	require.NoError(t, err)
	encode := base64.RawURLEncoding.EncodeToString
	return `{"kty":"EC","crv":"P-256","x":"` + encode(public[1:33]) + `","y":"` + encode(public[33:]) + `","d":"` + encode(private) + `"` + more + `}`
}

// The keys of a change: the next or last one that signs, and those that decrypt.
func TestChangeOfKeys(t *testing.T) {
	sig, next := ecJWK(t, `,"use":"sig","kid":"s1"`), ecJWK(t, `,"use":"sig","kid":"s2"`)
	public := regexp.MustCompile(`,"d":"[^"]*"`).ReplaceAllString(next, "")
	enc, kept := ecJWK(t, `,"use":"enc","kid":"e1"`), `{"kty":"OKP","crv":"X25519","use":"enc","kid":"e2","d":"dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo","x":"hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo"}`
	signs := `,"token_endpoint_auth_method":"private_key_jwt"`
	file, err := clientconfig.Read(strings.NewReader(acme(signs+`,"jwks":{"keys":[`+sig+`,`+enc+`]},"published_jwks":{"keys":[`+public+`]},"unpublished_jwks":{"keys":[`+kept+`]}`)), "")
	require.NoError(t, err)
	clients, err := file.New(nil)
	require.NoError(t, err)
	published, err := clients["acme"].PublicJWKS()
	require.NoError(t, err)
	for _, kid := range []string{"s1", "s2", "e1"} {
		assert.Contains(t, string(published), `"`+kid+`"`)
	}
	assert.NotContains(t, string(published), `"e2"`)
	assert.NotContains(t, string(published), `"d"`)
	for more, member := range map[string]string{
		`,"published_jwks":{"keys":[` + next + `]}`:                                               "published_jwks",
		`,"published_jwks":{"keys":[]}`:                                                           "published_jwks",
		`,"published_jwks":{"keys":[{"kty":"oct","k":"AAAA"}]}`:                                   "published_jwks",
		`,"published_jwks":{"keys":[` + strings.Replace(public, `"sig"`, `"enc"`, 1) + `]}`:       "published_jwks",
		`,"published_jwks":{"keys":[` + public + `,` + public + `]}`:                              "published_jwks",
		`,"published_jwks":{"keys":[` + strings.Replace(public, `"s2"`, `"s1"`, 1) + `]}`:         "published_jwks",
		`,"unpublished_jwks":{"keys":[` + next + `]}`:                                             "unpublished_jwks",
		`,"unpublished_jwks":{"keys":[` + kept + `]},"id_token_encrypted_response_alg":"ECDH-ES"`: "id_token_encrypted_response_alg",
		`,"unpublished_jwks":{"keys":[` + kept + `,` + kept + `]}`:                                "jwks",
	} {
		_, err := read(acme(signs+`,"jwks":{"keys":[`+sig+`]}`+more), "")
		var wrong *clientconfig.Error
		require.ErrorAs(t, err, &wrong, more)
		assert.Equal(t, member, wrong.Member, more)
	}
}

func TestOwnKeysAndEncryption(t *testing.T) {
	enc, sig := ecJWK(t, `,"use":"enc","kid":"e1","alg":"ECDH-ES"`), ecJWK(t, `,"use":"sig","kid":"s1","alg":"ES256"`)
	file, err := clientconfig.Read(strings.NewReader(acme(`,"jwks":{"keys":[`+enc+`,`+sig+`]},"token_endpoint_auth_method":"private_key_jwt",
		"userinfo_signed_response_alg":"PS256","id_token_encrypted_response_alg":"ECDH-ES","id_token_encrypted_response_enc":"A256GCM","userinfo_encrypted_response_alg":"ECDH-ES",
		"authorization_encrypted_response_alg":"ECDH-ES","response_mode":"jwt","authorization_signed_response_alg":"ES256"`)), "")
	require.NoError(t, err)
	c := file.Clients["acme"]
	require.Len(t, c.DecryptionKeys, 1)
	assert.Equal(t, "e1", c.DecryptionKeys[0].ID)
	assert.Equal(t, "s1", c.Key.ID)
	assert.Equal(t, &oidcclient.Encrypted{Algorithm: "ECDH-ES", Encoding: "A256GCM"}, c.IDTokenEncrypted)
	assert.Equal(t, &oidcclient.Encrypted{Algorithm: "ECDH-ES"}, c.UserInfoEncrypted)
	assert.Equal(t, &oidcclient.Encrypted{Algorithm: "ECDH-ES"}, c.ResponseEncrypted)
	assert.Equal(t, []string{"jwt", "ES256", "PS256"}, []string{c.ResponseMode, c.ResponseAlgorithm, c.UserInfoAlgorithm})
	clients, err := file.New(nil)
	require.NoError(t, err)
	published, err := clients["acme"].PublicJWKS()
	require.NoError(t, err)
	assert.Contains(t, string(published), `"e1"`)
	assert.Contains(t, string(published), `"s1"`)
	for more, member := range map[string]string{
		`,"jwks":{}`: "jwks", `,"jwks":{"keys":[{"kty":"oct","k":"AAAA"}]}`: "jwks", `,"jwks":{"keys":[` + sig + `,` + ecJWK(t, "") + `]}`: "jwks",
		`,"id_token_encrypted_response_alg":"ECDH-ES"`:                                 "id_token_encrypted_response_alg",
		`,"jwks":{"keys":[` + enc + `]},"id_token_encrypted_response_alg":"RSA1_5"`:    "id_token_encrypted_response_alg",
		`,"id_token_encrypted_response_enc":"A256GCM"`:                                 "id_token_encrypted_response_enc",
		`,"userinfo_signed_response_alg":"none"`:                                       "userinfo_signed_response_alg",
		`,"authorization_signed_response_alg":"ES256"`:                                 "authorization_signed_response_alg",
		`,"jwks":{"keys":[` + sig + `]},"private_key_file":"/does/not/matter/key.pem"`: "private_key_file",
	} {
		_, err := read(acme(more), "")
		var wrong *clientconfig.Error
		require.ErrorAs(t, err, &wrong, more)
		assert.Equal(t, member, wrong.Member, more)
		assert.NotContains(t, err.Error(), `"d"`)
	}
}

func TestMistakesAreNamed(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "nothing.pem"), []byte(secret), 0o600))
	jwks := `{"keys":[{"kty":"oct","k":"AAAA"}]}`
	for name, tt := range map[string]struct{ text, member string }{
		"unknown member":        {acme(`,"scopes":"openid"`), "scopes"},
		"unknown metadata":      {acme(`,"provider_metadata":{"token_url":"x"}`), "token_url"},
		"wrong type":            {acme(`,"userinfo":"yes"`), "userinfo"},
		"member twice":          {acme(`,"client_id":"d"`), "client_id"},
		"profile":               {strings.Replace(acme(""), `"oidc"`, `"odic"`, 1), "profile"},
		"http issuer":           {strings.Replace(acme(""), `https://op`, `http://op`, 1), "issuer"},
		"no issuer":             {strings.Replace(acme(""), `"issuer":"https://op.example",`, ``, 1), "issuer"},
		"no secret":             {strings.Replace(acme(""), secret, ``, 1), "client_secret"},
		"no client id":          {strings.Replace(acme(""), `"c"`, `""`, 1), "client_id"},
		"no redirect":           {strings.Replace(acme(""), `"http://127.0.0.1:8080/callback/acme"`, ``, 1), "redirect_uris"},
		"two redirects":         {strings.Replace(acme(""), `callback/acme"`, `callback/other","https://b.example"`, 1), "redirect_uris"},
		"no openid":             {acme(`,"scope":"email"`), "scope"},
		"method":                {acme(`,"token_endpoint_auth_method":"magic"`), "token_endpoint_auth_method"},
		"response type":         {acme(`,"response_type":"token"`), "response_type"},
		"response mode":         {acme(`,"response_mode":"okay"`), "response_mode"},
		"algorithm":             {acme(`,"id_token_signed_response_alg":"none"`), "id_token_signed_response_alg"},
		"max age":               {acme(`,"default_max_age":-1`), "default_max_age"},
		"metadata of two lines": {acme(`,"provider_metadata":{"a\nb":1}`), `"provider_metadata.a\nb"`},
		"metadata twice":        {acme(`,"provider_metadata":{"a\nb":{"c":1,"c":2}}`), `a\nb`},
		"a member of two lines": {acme(`,"a\nb":1`), `"a\nb"`},
		"key that is not there": {acme(`,"private_key_file":"x.pem"`), "private_key_file"},
		"key that is none":      {acme(`,"private_key_file":"nothing.pem"`), "private_key_file"},
		"chain without key":     {acme(`,"certificate_chain_file":"nothing.pem"`), "certificate_chain_file"},
		"anchors that are none": {acme(`,"trust_anchors_file":"nothing.pem"`), "trust_anchors_file"},
		"key set without keys":  {acme(`,"provider_jwks":` + jwks), "provider_jwks"},
		"TLS key left out":      {acme(`,"tls_client_certificate_file":"nothing.pem"`), "tls_client_certificate_file"},
		"CA that is none":       {acme(`,"tls_ca_file":"nothing.pem"`), "tls_ca_file"},
		"no key to encrypt to":  {acme(`,"request_object_encryption_alg":"RSA-OAEP"`), "request_object_encryption_alg"},
		"tenant":                {acme(`,"dns":"t.example","community":"c"`), "dns"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := read(tt.text, dir)
			require.Error(t, err)
			assert.Contains(t, err.Error(), `"acme"`)
			assert.Contains(t, err.Error(), tt.member)
			assert.NotContains(t, err.Error(), secret)
			assert.NotContains(t, err.Error(), "\n", "one line")
			var named *clientconfig.Error
			require.True(t, errors.As(err, &named))
			assert.Equal(t, "acme", named.Client)
		})
	}
	for name, text := range map[string]string{
		"not JSON": "x", "unknown at the top": `{"client":{}}`, "trailing": acme("") + "x", "huge": strings.Repeat(" ", 5<<20),
	} {
		_, err := read(text, dir)
		assert.Error(t, err, name)
	}
	_, err := read(acme(`,"default_max_age":2147483647`), dir)
	assert.NoError(t, err, "the most that fits into a request object")
	_, err = clientconfig.Read(strings.NewReader(acme(`,"default_max_age":2147483648`)), dir)
	assert.Error(t, err)
	_, err = clientconfig.ReadFile(filepath.Join(dir, "not-there.json"))
	assert.ErrorIs(t, err, os.ErrNotExist)
}

func TestKeyFiles(t *testing.T) {
	dir := t.TempDir()
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	require.NoError(t, os.WriteFile(filepath.Join(dir, "key.pem"), text, 0o600))
	_, err = read(acme(`,"private_key_file":"key.pem","token_endpoint_auth_method":"private_key_jwt"`), dir)
	require.NoError(t, err)
	_, err = read(acme(`,"private_key_file":"key.pem","token_endpoint_auth_method":"private_key_jwt","token_endpoint_auth_signing_alg":"RS256"`), dir)
	assert.ErrorContains(t, err, "token_endpoint_auth_signing_alg: does not fit")
}

// A file for each embedded provider logs in like a Config does.
func TestFilesForEachSystem(t *testing.T) {
	for _, system := range oidctest.Systems() {
		t.Run(system.String(), func(t *testing.T) {
			const redirectURI = "http://127.0.0.1:1/callback"
			op, err := oidctest.New(oidctest.Config{System: system, RedirectURIs: []string{redirectURI}})
			require.NoError(t, err)
			t.Cleanup(func() { assert.NoError(t, op.Close()) })
			dir := t.TempDir()
			c := op.Client()
			members := map[string]any{
				"profile": c.Profile, "client_id": c.ClientID, "redirect_uris": []string{redirectURI}, "scope": c.Scope,
				"token_endpoint_auth_method": c.AuthMethod, "id_token_signed_response_alg": c.SigningAlg,
			}
			for file, text := range map[string][]byte{
				"private_key_file": c.PrivateKeyPEM, "certificate_chain_file": c.CertificateChainPEM, "trust_anchors_file": c.TrustAnchorsPEM,
			} {
				if c.Certificates != nil {
					require.NoError(t, os.WriteFile(filepath.Join(dir, file), text, 0o600))
					members[file] = file
				}
			}
			if c.ClientSecret != "" {
				members["client_secret"] = c.ClientSecret
			}
			if c.DNS != "" {
				members["dns"], members["community"] = c.DNS, c.Community
			} else {
				members["issuer"] = c.Issuer
			}
			if c.Discovery == "" && c.DNS == "" {
				members["provider_metadata"] = map[string]string{"authorization_endpoint": c.AuthorizationEndpoint, "token_endpoint": c.TokenEndpoint}
			}
			if system == oidctest.Faces {
				members["provider_jwks"] = json.RawMessage(c.ProviderJWKS)
			}
			if len(c.ACRValues) > 0 && system == oidctest.IShare {
				members["min_acr"] = c.ACRValues[0]
			}
			text, err := json.Marshal(map[string]any{"clients": map[string]any{"it": members}})
			require.NoError(t, err)
			clients, err := read(string(text), dir)
			require.NoError(t, err)
			auth, pending, err := clients["it"].Begin(t.Context(), oidcclient.BeginOptions{})
			require.NoError(t, err)
			values, err := relying.Browse(t.Context(), redirectURI, auth)
			require.NoError(t, err)
			session, err := clients["it"].Complete(t.Context(), pending, values)
			require.NoError(t, err)
			assert.NotEmpty(t, session.Subject())
		})
	}
}

func FuzzRead(f *testing.F) {
	f.Add(acme(""))
	f.Add(`{"clients":{}}`)
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "_file") {
			return // reads nothing of this machine
		}
		_, _ = read(text, "")
	})
}

func ExampleRead() {
	_, err := clientconfig.Read(strings.NewReader(`{"clients":{"acme":{"profile":"oidc","isuer":"https://op.example"}}}`), ".")
	fmt.Println(err)
	// Output: clientconfig: client "acme": isuer: is not a known member
}

// What is found at the first use stands in the place of what is known before.
func TestReadLate(t *testing.T) {
	entry := func(members string) string {
		return `{"base_url":"http://127.0.0.1:8080","clients":{"acme":{"profile":"oidc","redirect_uris":["http://127.0.0.1:8080/callback/acme"],` + members + `}}}`
	}
	file, err := clientconfig.Read(strings.NewReader(entry(`"webfinger":"anna@op.example","dynamic_registration":true,"initial_access_token":"t",
		"backchannel_logout_uri":"http://127.0.0.1:8080/backchannel-logout/acme","default_max_age":60,"default_acr_values":["a"]`)), "")
	require.NoError(t, err)
	c := file.Clients["acme"]
	assert.Equal(t, "anna@op.example", c.Account)
	assert.Equal(t, "t", c.Register.AccessToken)
	assert.Equal(t, map[string]any{
		"backchannel_logout_uri": "http://127.0.0.1:8080/backchannel-logout/acme", "default_max_age": int64(60), "default_acr_values": []string{"a"},
	}, c.Register.Metadata)
	_, err = file.New(nil)
	require.NoError(t, err)
	for members, member := range map[string]string{
		`"issuer":"https://op.example","initial_access_token":"t"`:                                                                                                     "initial_access_token",
		`"issuer":"https://op.example","dynamic_registration":true,"client_id":"c"`:                                                                                    "dynamic_registration",
		`"issuer":"https://op.example","webfinger":"a@op.example","client_id":"c"`:                                                                                     "webfinger",
		`"issuer":"https://op.example","client_id":"c","backchannel_token_delivery_mode":"x"`:                                                                          "backchannel_token_delivery_mode",
		`"issuer":"https://op.example","client_id":"c","backchannel_token_delivery_mode":"ping"`:                                                                       "backchannel_client_notification_endpoint",
		`"issuer":"https://op.example","client_id":"c","backchannel_token_delivery_mode":"ping","backchannel_client_notification_endpoint":"http://127.0.0.1:80801/x"`: "backchannel_client_notification_endpoint",
		`"issuer":"https://op.example","client_id":"c","client_secret":"s","backchannel_authentication_request_signing_alg":"ES256"`:                                   "backchannel_authentication_request_signing_alg",
		`"issuer":"https://op.example","client_id":"c","client_secret":"s","tls_client_certificate_bound_access_tokens":true`:                                          "tls_client_certificate_bound_access_tokens",
		`"issuer":"https://op.example","client_id":"c","client_secret":"s","fapi":"3"`:                                                                                 "fapi",
		`"issuer":"https://op.example","client_id":"c","client_secret":"s","fapi":"2-security"`:                                                                        "private_key_file",
	} {
		_, err := read(entry(members), "")
		var wrong *clientconfig.Error
		require.ErrorAs(t, err, &wrong, members)
		assert.Equal(t, "acme", wrong.Client)
		assert.Equal(t, member, wrong.Member, members)
	}
}

// Request objects are encrypted to the key of a pinned set, or to the one that the
// provider will turn out to publish.
func TestRequestObjectEncryption(t *testing.T) {
	sig := ecJWK(t, `,"use":"sig","kid":"s1"`)
	public := func(kid string) string {
		return regexp.MustCompile(`,"d":"[^"]*"`).ReplaceAllString(ecJWK(t, `,"use":"enc","kid":"`+kid+`"`), "")
	}
	signs := `,"token_endpoint_auth_method":"private_key_jwt","request":"object","jwks":{"keys":[` + sig + `]},"request_object_encryption_alg":"ECDH-ES"`
	verifies := strings.Replace(public("v"), `"enc"`, `"sig"`, 1)
	pinned := `,"provider_jwks":{"keys":[` + verifies + `,` + public("a") + `,` + public("b") + `,` + public("c") + `]}`
	for more, want := range map[string]string{pinned: "a", pinned + `,"request_object_encryption_kid":"b"`: "b", "": "", `,"request_object_encryption_kid":"b"`: "b"} {
		file, err := clientconfig.Read(strings.NewReader(acme(signs+more)), "")
		require.NoError(t, err, more)
		e := file.Clients["acme"].RequestEncryption
		assert.Equal(t, []string{"ECDH-ES", "A128CBC-HS256", want}, []string{e.Algorithm, e.Encoding, e.KeyID}, more)
		assert.Equal(t, strings.HasPrefix(more, pinned), e.Key != nil, more)
	}
	for more, member := range map[string]string{
		signs + pinned + `,"request_object_encryption_kid":"d"`: "provider_jwks",
		signs + `,"request_object_encryption_enc":"A256"`:       "request_object_encryption_alg",
		`,"request_object_encryption_kid":"a"`:                  "request_object_encryption_kid",
		`,"request_object_encryption_enc":"A256GCM"`:            "request_object_encryption_enc",
	} {
		_, err := read(acme(more), "")
		var wrong *clientconfig.Error
		require.ErrorAs(t, err, &wrong, more)
		assert.Equal(t, member, wrong.Member, more)
	}
}
