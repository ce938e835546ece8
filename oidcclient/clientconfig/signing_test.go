package clientconfig_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient/clientconfig"
)

// rsaFile writes an RSA key, whose algorithm no file says.
func rsaFile(t *testing.T) (dir string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	dir = t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
	return dir
}

// Any member that names the algorithm of what the client signs says it of the key.
func TestSigningAlgorithm(t *testing.T) {
	dir := rsaFile(t)
	const key = `,"private_key_file":"key.pem","token_endpoint_auth_method":"private_key_jwt"`
	for more, want := range map[string]string{
		key: "",
		key + `,"token_endpoint_auth_signing_alg":"PS256"`:                                                      "PS256",
		key + `,"backchannel_authentication_request_signing_alg":"PS384"`:                                       "PS384",
		key + `,"request":"object","request_object_signing_alg":"PS512"`:                                        "PS512",
		key + `,"request":"object","request_object_signing_alg":"PS256","fapi":""`:                              "PS256",
		`,"private_key_file":"key.pem","token_endpoint_auth_signing_alg":"HS256"`:                               "",
		`,"private_key_file":"key.pem","backchannel_authentication_request_signing_alg":"PS256"`:                "PS256",
		key + `,"token_endpoint_auth_signing_alg":"PS256","request":"uri","request_object_signing_alg":"PS256"`: "PS256",
	} {
		file, err := clientconfig.Read(strings.NewReader(acme(more)), dir)
		require.NoError(t, err, more)
		assert.Equal(t, want, file.Clients["acme"].Key.Algorithm, more)
	}
	for more, member := range map[string]string{
		key + `,"token_endpoint_auth_signing_alg":"HS256"`:                                                          "token_endpoint_auth_signing_alg",
		key + `,"token_endpoint_auth_signing_alg":"none"`:                                                           "token_endpoint_auth_signing_alg",
		key + `,"token_endpoint_auth_signing_alg":"ES256"`:                                                          "token_endpoint_auth_signing_alg",
		key + `,"backchannel_authentication_request_signing_alg":"HS256"`:                                           "backchannel_authentication_request_signing_alg",
		key + `,"token_endpoint_auth_signing_alg":"RS256","request":"object","request_object_signing_alg":"PS256"`:  "request_object_signing_alg",
		key + `,"token_endpoint_auth_signing_alg":"RS256","backchannel_authentication_request_signing_alg":"PS256"`: "backchannel_authentication_request_signing_alg",
		`,"request":"pushed","request_object_signing_alg":"ES256"`:                                                  "request_object_signing_alg",
		`,"backchannel_authentication_request_signing_alg":"ES256"`:                                                 "backchannel_authentication_request_signing_alg",
	} {
		_, err := read(acme(more), dir)
		var wrong *clientconfig.Error
		require.ErrorAs(t, err, &wrong, more)
		assert.Equal(t, member, wrong.Member, more)
	}
}

// Of several keys that sign, the algorithm chooses one, and the others are published.
func TestSeveralSigningKeys(t *testing.T) {
	one, two, other := ecJWK(t, `,"kid":"one","alg":"ES256"`), ecJWK(t, `,"kid":"two","alg":"ES384"`), ecJWK(t, `,"kid":"other"`)
	const signs = `,"token_endpoint_auth_method":"private_key_jwt","token_endpoint_auth_signing_alg":"ES256"`
	file, err := clientconfig.Read(strings.NewReader(acme(signs+`,"jwks":{"keys":[`+one+`,`+ed25519JWK+`]}`)), "")
	require.NoError(t, err)
	assert.Equal(t, "one", file.Clients["acme"].Key.ID)
	clients, err := file.New(nil)
	require.NoError(t, err)
	set, err := clients["acme"].PublicJWKS()
	require.NoError(t, err)
	assert.Contains(t, string(set), `"one"`)
	assert.Contains(t, string(set), `"ed"`)
	assert.NotContains(t, string(set), `"d"`)
	for name, more := range map[string]string{
		"no algorithm is said":  `,"token_endpoint_auth_method":"private_key_jwt","jwks":{"keys":[` + one + `,` + ed25519JWK + `]}`,
		"two fit":               signs + `,"jwks":{"keys":[` + one + `,` + other + `]}`,
		"none fits":             `,"token_endpoint_auth_method":"private_key_jwt","token_endpoint_auth_signing_alg":"PS256","jwks":{"keys":[` + one + `,` + ed25519JWK + `]}`,
		"its own algorithm":     signs + `,"jwks":{"keys":[` + two + `,` + ed25519JWK + `]}`,
		"beside one of a file":  signs + `,"private_key_file":"key.pem","jwks":{"keys":[` + one + `]}`,
		"one that is not a key": signs + `,"jwks":{"keys":[` + one + `,{"kty":"EC"}]}`,
	} {
		_, err := read(acme(more), rsaFile(t))
		assert.Error(t, err, name)
	}
}

// ed25519JWK is the private key of RFC 8037 appendix A.1.
const ed25519JWK = `{"kty":"OKP","crv":"Ed25519","kid":"ed","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`

// What only a provider that registers the client is told stands with that, and nowhere
// else.
func TestRegisteredMembers(t *testing.T) {
	entry := func(members string) string {
		return `{"base_url":"http://127.0.0.1:8080","clients":{"acme":{"profile":"oidc","issuer":"https://op.example","redirect_uris":["http://127.0.0.1:8080/callback/acme"],` + members + `}}}`
	}
	file, err := clientconfig.Read(strings.NewReader(entry(`"dynamic_registration":true,"client_name":"Acme","contacts":["a@acme.example"],"require_auth_time":true,
		"software_statement":"a.b.c","grant_types":["authorization_code"],"frontchannel_logout_uri":"http://127.0.0.1:8080/frontchannel-logout/acme",
		"initiate_login_uri":"http://127.0.0.1:8080/initiate/acme","frontchannel_logout_session_required":true`)), "")
	require.NoError(t, err)
	assert.Equal(t, map[string]any{
		"client_name": "Acme", "contacts": []any{"a@acme.example"}, "require_auth_time": true, "software_statement": "a.b.c", "grant_types": []any{"authorization_code"},
		"frontchannel_logout_uri": "http://127.0.0.1:8080/frontchannel-logout/acme", "initiate_login_uri": "http://127.0.0.1:8080/initiate/acme",
		"frontchannel_logout_session_required": true,
	}, file.Clients["acme"].Register.Metadata)
	for members, member := range map[string]string{
		`"client_id":"c","client_secret":"s","frontchannel_logout_uri":"https://elsewhere.example/x"`:     "frontchannel_logout_uri",
		`"client_id":"c","client_secret":"s","initiate_login_uri":"http://127.0.0.1:80801/initiate/acme"`: "initiate_login_uri",
		`"dynamic_registration":true,"request":"uri","redirect_uris":["http://127.0.0.1:8080/elsewhere"]`: "redirect_uris", // there twice
	} {
		_, err := read(entry(members), "")
		var wrong *clientconfig.Error
		require.ErrorAs(t, err, &wrong, members)
		assert.Equal(t, member, wrong.Member, members)
	}
	for members, member := range map[string]string{
		`"response_types":["id_token"]`: "response_types", `"response_types":[]`: "response_types",
		`"require_signed_request_object":true`: "require_signed_request_object",
	} {
		_, err := read(entry(`"client_id":"c","client_secret":"s",`+members), "")
		var wrong *clientconfig.Error
		require.ErrorAs(t, err, &wrong, members)
		assert.Equal(t, member, wrong.Member, members)
	}
	// What was registered elsewhere may stand as it was answered.
	_, err = read(entry(`"client_id":"c","client_secret":"s","grant_types":["authorization_code","refresh_token"],"client_name":"Acme","contacts":["a@acme.example"],
		"response_type":"code id_token","response_types":["code","id_token code"],"backchannel_logout_session_required":true`), "")
	require.NoError(t, err)
}

// What a key is for follows from any member that says so, and public keys are published.
func TestPurposeOfKeys(t *testing.T) {
	const agreed = `,"id_token_encrypted_response_alg":"ECDH-ES"`
	for more, good := range map[string]bool{
		`,"use":"enc"`:              true,
		`,"alg":"ECDH-ES"`:          true,
		`,"alg":"ECDH-ES+A128KW"`:   false, // is for another algorithm
		`,"key_ops":["deriveKey"]`:  true,
		`,"key_ops":["deriveBits"]`: true,
		`,"key_ops":["sign"]`:       false,
		`,"alg":"ES256"`:            false,
		``:                          true, // and nothing is signed
	} {
		_, err := read(acme(agreed+`,"jwks":{"keys":[`+ecJWK(t, more)+`]}`), "")
		assert.Equal(t, good, err == nil, "%s: %v", more, err)
	}
	bare := `,"jwks":{"keys":[` + ecJWK(t, "") + `]}`
	for more, good := range map[string]bool{
		`,"token_endpoint_auth_method":"private_key_jwt"`:                              false,
		`,"token_endpoint_auth_method":"private_key_jwt","private_key_file":"key.pem"`: true,
		`,"request":"object"`: false,
		`,"backchannel_authentication_request_signing_alg":"ES256"`: false,
	} {
		_, err := read(acme(agreed+bare+more), rsaFile(t))
		assert.Equal(t, good, err == nil, "%s: %v", more, err)
	}
	public := func(jwk string) string { return regexp.MustCompile(`,"d":"[^"]*"`).ReplaceAllString(jwk, "") }
	dir := t.TempDir()
	own := ecJWK(t, "")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "key.jwk"), []byte(own), 0o600))
	named := strings.Replace(public(own), `{`, `{"kid":"own","use":"sig",`, 1)
	file, err := clientconfig.Read(strings.NewReader(acme(`,"token_endpoint_auth_method":"private_key_jwt","private_key_file":"key.jwk",
		"jwks":{"keys":[`+named+`,`+public(ecJWK(t, `,"kid":"next"`))+`]}`)), dir)
	require.NoError(t, err)
	assert.Equal(t, "own", file.Clients["acme"].Key.ID, "what is registered says how the key is named")
	require.Len(t, file.Clients["acme"].PublishedKeys, 1)
	assert.Equal(t, "next", file.Clients["acme"].PublishedKeys[0].ID)
	_, err = file.New(nil)
	require.NoError(t, err)
	_, err = read(acme(agreed+`,"jwks":{"keys":[`+public(ecJWK(t, `,"use":"enc"`))+`]}`), "")
	assert.Error(t, err, "nobody can decrypt with a public key")
}

// A mistake about the key is named by the member that says how the client signs; requests
// that a profile demands can't be turned off.
func TestMistakesAboutTheKey(t *testing.T) {
	weak := ecJWK(t, `,"alg":"ES256"`)
	for more, member := range map[string]string{
		`,"fapi":"2-security","jwks":{"keys":[` + strings.Replace(ed25519JWK, `{`, `{"alg":"EdDSA",`, 1) + `]}`: "", // is permitted
		`,"fapi":"1-advanced","tls_client_certificate_file":"x"`:                                                "tls_client_certificate_file",
		`,"fapi":"2-security","token_endpoint_auth_method":"private_key_jwt"`:                                   "private_key_file",
		`,"fapi":"2-security","request":"none","jwks":{"keys":[` + weak + `]}`:                                  "request",
		`,"fapi":"2-security","request_object_signing_alg":"ES256","jwks":{"keys":[` + weak + `]}`:              "",
		`,"fapi":"2-message-signing","jwks":{"keys":[` + strings.Replace(weak, `"ES256"`, `"ES384"`, 1) + `]}`:  "jwks",
	} {
		_, err := read(strings.Replace(acme(more), `"client_secret":"`+secret+`",`, ``, 1), "")
		if member == "" {
			require.NoError(t, err, more)
			continue
		}
		var wrong *clientconfig.Error
		require.ErrorAs(t, err, &wrong, more)
		assert.Equal(t, member, wrong.Member, "%v", err)
	}
	dir := rsaFile(t)
	_, err := read(acme(`,"fapi":"2-security","private_key_file":"key.pem","token_endpoint_auth_signing_alg":"RS256"`), dir)
	var wrong *clientconfig.Error
	require.ErrorAs(t, err, &wrong)
	assert.Equal(t, "token_endpoint_auth_signing_alg", wrong.Member)
}

// A client without a browser says so, and has nowhere to come back to; of several places
// its own is used.
func TestRedirectURIs(t *testing.T) {
	entry := func(members string) string {
		return `{"base_url":"http://127.0.0.1:8080/","clients":{"acme":{"profile":"oidc","issuer":"https://op.example","client_id":"c","client_secret":"s",` + members + `}}}`
	}
	for members, want := range map[string]string{
		`"grant_types":["client_credentials"],"scope":"api:read"`:                          "",
		`"backchannel_token_delivery_mode":"poll"`:                                         "",
		`"redirect_uris":["http://127.0.0.1:8080/callback/acme"]`:                          "http://127.0.0.1:8080/callback/acme",
		`"redirect_uris":["https://old.example/cb","http://127.0.0.1:8080/callback/acme"]`: "http://127.0.0.1:8080/callback/acme",
		`"redirect_uris":["http://127.0.0.1:8080/callback/acme"],"post_logout_redirect_uris":["http://127.0.0.1:8080/","http://127.0.0.1:8080/bye"],"backchannel_logout_uri":"http://127.0.0.1:8080/backchannel-logout/acme"`: "http://127.0.0.1:8080/callback/acme",
	} {
		file, err := clientconfig.Read(strings.NewReader(entry(members)), "")
		require.NoError(t, err, members)
		assert.Equal(t, want, file.Clients["acme"].RedirectURI)
		_, err = file.New(nil)
		require.NoError(t, err, members)
	}
	for _, members := range []string{
		`"scope":"openid"`, `"grant_types":["authorization_code"]`, `"grant_types":["implicit"]`,
		`"redirect_uris":["http://a.example/callback/acme","http://b.example/callback/acme"]`,
	} {
		_, err := read(entry(members), "")
		var wrong *clientconfig.Error
		require.ErrorAs(t, err, &wrong, members)
		assert.Equal(t, "redirect_uris", wrong.Member, members)
	}
	_, err := read(`{"clients":{}}`, "")
	var wrong *clientconfig.Error
	require.ErrorAs(t, err, &wrong)
	assert.Equal(t, "clients", wrong.Member)
}
