package oidcclient

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// registry answers every request alike, and keeps what was sent.
type registry struct {
	status int
	kind   string
	body   string
	sent   []string // method, URL, authorization and body
}

func (r *registry) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		var err error
		if body, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
	}
	r.sent = append(r.sent, strings.Join([]string{req.Method, req.URL.String(), req.Header.Get("Authorization"), string(body)}, " "))
	return &http.Response{StatusCode: r.status, Header: http.Header{"Content-Type": {r.kind}}, Body: io.NopCloser(strings.NewReader(r.body)), Request: req}, nil
}

const registered = `{"client_id":"new","client_secret":"s3cr3t","client_secret_expires_at":1800000000,"registration_access_token":"rat",
	"registration_client_uri":"https://op.example/register/new","redirect_uris":["https://rp.example/cb"]}`

func TestRegister(t *testing.T) {
	network := &registry{status: 201, kind: "application/json", body: registered}
	r := Registrar{Endpoint: "https://op.example/register", AccessToken: "initial", HTTPClient: &http.Client{Transport: network}}
	got, err := r.Register(t.Context(), map[string]any{"redirect_uris": []string{"https://rp.example/cb"}})
	require.NoError(t, err)
	assert.Equal(t, []string{"new", "s3cr3t", "rat", "https://op.example/register/new"}, []string{got.ClientID, got.ClientSecret, got.AccessToken, got.URI})
	assert.Equal(t, time.Unix(1800000000, 0).UTC(), got.SecretEndsAt)
	var metadata struct {
		RedirectURIs []string `json:"redirect_uris"`
	}
	require.NoError(t, got.Metadata(&metadata))
	assert.Equal(t, []string{"https://rp.example/cb"}, metadata.RedirectURIs)
	assert.Equal(t, `POST https://op.example/register Bearer initial {"redirect_uris":["https://rp.example/cb"]}`, network.sent[0])
	assert.NotContains(t, fmt.Sprintf("%v %+v %#v", got, *got, *got), "s3cr3t")
	assert.NotContains(t, fmt.Sprintf("%v %#v", r, r), "initial")

	network.status = 200
	_, err = r.Read(t.Context(), got)
	require.NoError(t, err)
	assert.Equal(t, "GET https://op.example/register/new Bearer rat ", network.sent[1])
	network.body = `{"client_id":"new","client_secret":"second","client_secret_expires_at":0}`
	fresh, err := r.Update(t.Context(), got, map[string]any{"scope": "openid", "registration_access_token": "rat", "registration_client_uri": "x", "client_secret_expires_at": 1, "client_id_issued_at": 1})
	require.NoError(t, err)
	assert.Equal(t, []string{"second", "rat", got.URI}, []string{fresh.ClientSecret, fresh.AccessToken, fresh.URI}, "what isn't mentioned stays")
	assert.True(t, fresh.SecretEndsAt.IsZero())
	body := network.sent[2][strings.IndexByte(network.sent[2], '{'):]
	var sent map[string]string
	require.NoError(t, json.Unmarshal([]byte(body), &sent))
	assert.Equal(t, map[string]string{"client_id": "new", "scope": "openid"}, sent)
	network.status, network.body = 204, ""
	require.NoError(t, r.Delete(t.Context(), fresh))
	assert.Equal(t, "DELETE https://op.example/register/new Bearer rat ", network.sent[3])
}

// A secret whose end was said ends, however that was written.
func TestRegisteredSecretEnds(t *testing.T) {
	last := time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	for written, ends := range map[string]time.Time{
		"1790000060": time.Unix(1790000060, 0).UTC(), "1790000060.5": time.Unix(1790000060, 0).UTC(), "1.79e9": time.Unix(1790000000, 0).UTC(),
		"1": time.Unix(1, 0).UTC(), "9223372036854775807": last, "1e300": last, "0": {}, "0.0": {}, "-0": {}, "null": {},
	} {
		network := &registry{status: 201, kind: "application/json", body: `{"client_id":"a","client_secret_expires_at":` + written + `}`}
		r := Registrar{Endpoint: "https://op.example/register", HTTPClient: &http.Client{Transport: network}}
		got, err := r.Register(t.Context(), map[string]any{})
		require.NoError(t, err, written)
		assert.Equal(t, ends, got.SecretEndsAt, written)
	}
}

// A secret that an answer does not show is still the client's, until it ends.
func TestRegisteredSecretStays(t *testing.T) {
	known := &Registration{ClientID: "a", ClientSecret: "s3cr3t", SecretEndsAt: time.Unix(1800000000, 0).UTC(), URI: "https://op.example/r", AccessToken: "t"}
	later := time.Unix(1900000000, 0).UTC()
	for body, want := range map[string]Registration{
		`{"client_id":"a"}`: *known,
		`{"client_id":"a","client_secret_expires_at":1900000000}`:                        {ClientSecret: "s3cr3t", SecretEndsAt: later},
		`{"client_id":"a","client_secret":"next","client_secret_expires_at":1900000000}`: {ClientSecret: "next", SecretEndsAt: later},
		`{"client_id":"a","client_secret":"next"}`:                                       {ClientSecret: "next"},
		`{"client_id":"a","client_secret_expires_at":0}`:                                 {ClientSecret: "s3cr3t"},
	} {
		network := &registry{status: 200, kind: "application/json", body: body}
		r := Registrar{HTTPClient: &http.Client{Transport: network}}
		read, err := r.Read(t.Context(), known)
		require.NoError(t, err, body)
		updated, err := r.Update(t.Context(), known, map[string]any{})
		require.NoError(t, err, body)
		for _, fresh := range []*Registration{read, updated} {
			assert.Equal(t, want.ClientSecret, fresh.ClientSecret, body)
			assert.Equal(t, want.SecretEndsAt, fresh.SecretEndsAt, body)
		}
	}
}

func TestRegisterRefusals(t *testing.T) {
	for name, tt := range map[string]struct {
		network registry
		fault   Fault
		code    string
	}{
		"not 201":             {registry{200, "application/json", registered, nil}, FaultProvider, ""},
		"an error":            {registry{400, "application/json", `{"error":"invalid_redirect_uri"}`, nil}, FaultProvider, "invalid_redirect_uri"},
		"down":                {registry{503, "", "", nil}, FaultOutage, ""},
		"a page":              {registry{201, "text/html", registered, nil}, FaultProvider, ""},
		"twice":               {registry{201, "application/json", `{"client_id":"a","client_id":"b"}`, nil}, FaultProvider, ""},
		"no id":               {registry{201, "application/json", `{"client_secret":"x"}`, nil}, FaultProvider, ""},
		"a number":            {registry{201, "application/json", `{"client_id":1}`, nil}, FaultProvider, ""},
		"controls":            {registry{201, "application/json", `{"client_id":"a\nb"}`, nil}, FaultProvider, ""},
		"a text date":         {registry{201, "application/json", `{"client_id":"a","client_secret_expires_at":"x"}`, nil}, FaultProvider, ""},
		"a date of no number": {registry{201, "application/json", `{"client_id":"a","client_secret_expires_at":-1}`, nil}, FaultProvider, ""},
		"a date beyond all":   {registry{201, "application/json", `{"client_id":"a","client_secret_expires_at":1e400}`, nil}, FaultProvider, ""},
		"a plain place":       {registry{201, "application/json", `{"client_id":"a","registration_client_uri":"http://op.example/x"}`, nil}, FaultProvider, ""},
		"elsewhere":           {registry{307, "", "", nil}, FaultProvider, ""},
	} {
		r := Registrar{Endpoint: "https://op.example/register", HTTPClient: &http.Client{Transport: &tt.network}}
		_, err := r.Register(t.Context(), map[string]any{})
		var refused *Error
		require.ErrorAs(t, err, &refused, name)
		assert.Equal(t, StepRegister, refused.Step)
		assert.Equal(t, tt.fault, refused.Fault, name)
		assert.Equal(t, tt.code, refused.Code, name)
	}
	network := &registry{status: 200, kind: "application/json", body: `{"client_id":"other"}`}
	r := Registrar{Endpoint: "http://op.example/register", HTTPClient: &http.Client{Transport: network}}
	_, err := r.Register(t.Context(), map[string]any{})
	assert.ErrorContains(t, err, "not https")
	known := &Registration{ClientID: "mine", URI: "https://op.example/r", AccessToken: "t"}
	for _, bad := range []any{[]string{}, "x", nil, func() {}} {
		_, err := Registrar{Endpoint: "https://op.example/r", HTTPClient: r.HTTPClient}.Register(t.Context(), bad)
		assert.Error(t, err)
		_, err = r.Update(t.Context(), known, bad)
		assert.Error(t, err)
	}
	_, err = r.Read(t.Context(), known)
	assert.ErrorContains(t, err, "another client")
	assert.Error(t, r.Delete(t.Context(), known), "200 is not 204")
	assert.Error(t, r.Delete(t.Context(), &Registration{}), "it has no place")
}

func FuzzReadRegistration(f *testing.F) {
	f.Add(registered)
	f.Add(`{"client_id":"a","client_secret_expires_at":1e400}`)
	f.Add(`{"client_id":"a","registration_client_uri":"https://[::1"}`)
	f.Fuzz(func(t *testing.T, body string) {
		network := &registry{status: 201, kind: "application/json", body: body}
		r := Registrar{Endpoint: "https://op.example/register", HTTPClient: &http.Client{Transport: network}}
		got, err := r.Register(t.Context(), map[string]any{})
		if err == nil {
			assert.NotEmpty(t, got.ClientID)
		}
	})
}
