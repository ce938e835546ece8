package oidcclient

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/internal/fetch"
)

func jsonAnswer(status int, body string) *fetch.Answer {
	return &fetch.Answer{Status: status, MediaType: "application/json", Header: http.Header{}, Body: []byte(body)}
}

func TestReadTokenResponse(t *testing.T) {
	tests := map[string]struct {
		body       string
		wantExpiry time.Duration
	}{
		"plain":              {`{"access_token":"a","token_type":"Bearer","expires_in":3600}`, time.Hour},
		"lower case bearer":  {`{"access_token":"a","token_type":"bearer","expires_in":3600}`, time.Hour},
		"expiry in a string": {`{"access_token":"a","token_type":"Bearer","expires_in":"3600"}`, time.Hour},
		"expiry not said":    {`{"access_token":"a","token_type":"Bearer"}`, 0},
		"expiry null":        {`{"access_token":"a","token_type":"Bearer","expires_in":null}`, 0},
		"expiry 1e3":         {`{"access_token":"a","token_type":"Bearer","expires_in":8.64e4}`, 24 * time.Hour},
		"expiry 1000.0":      {`{"access_token":"a","token_type":"Bearer","expires_in":3600.0}`, time.Hour},
		"almost for ever":    {`{"access_token":"a","token_type":"Bearer","expires_in":9223372036}`, maxLifetime * time.Second},
		"for ever":           {`{"access_token":"a","token_type":"Bearer","expires_in":1e999}`, maxLifetime * time.Second},
		"and in a string":    {`{"access_token":"a","token_type":"Bearer","expires_in":"99999999999999999999"}`, maxLifetime * time.Second},
		"expiry 0":           {`{"access_token":"a","token_type":"Bearer","expires_in":0}`, 0},
		"unknown members":    {`{"access_token":"a","token_type":"Bearer","status":true,"not-before-policy":0,"session_state":"x"}`, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := readTokenResponse(StepExchange, jsonAnswer(200, tt.body), []string{typeBearer}, testNow)
			require.NoError(t, err)
			assert.Equal(t, "a", got.accessToken)
			if tt.wantExpiry == 0 {
				assert.Zero(t, got.expiry, "unknown is not never")
				return
			}
			assert.Equal(t, testNow.Add(tt.wantExpiry).UTC(), got.expiry)
		})
	}
}

func TestReadTokenResponseRefuses(t *testing.T) {
	html := &fetch.Answer{Status: 200, MediaType: "text/html", Body: []byte(`{"access_token":"a","token_type":"Bearer"}`)}
	tests := map[string]struct {
		answer    *fetch.Answer
		wantFault Fault
		wantCode  string
		wantCheck string
	}{
		"HTML":                   {answer: html, wantFault: FaultProvider},
		"HTML error":             {answer: &fetch.Answer{Status: 400, MediaType: "text/html", Body: []byte("<html>s3cr3t</html>")}, wantFault: FaultProvider},
		"empty 401":              {answer: jsonAnswer(401, ""), wantFault: FaultProvider},
		"no access token":        {answer: jsonAnswer(200, `{"token_type":"Bearer"}`), wantFault: FaultProvider},
		"empty access token":     {answer: jsonAnswer(200, `{"access_token":"","token_type":"Bearer"}`), wantFault: FaultProvider},
		"iSHARE says 200 and no": {answer: jsonAnswer(200, `{"status":false,"message":"s3cr3t"}`), wantFault: FaultProvider},
		"iSHARE says 202 and no": {answer: jsonAnswer(202, `{"status":false,"message":"s3cr3t"}`), wantFault: FaultProvider},
		"202 with a token":       {answer: jsonAnswer(202, `{"access_token":"a","token_type":"Bearer"}`), wantFault: FaultProvider},
		"BlockID envelope":       {answer: jsonAnswer(401, `{"error_code":401,"message":"s3cr3t"}`), wantFault: FaultProvider},
		"another token type":     {answer: jsonAnswer(200, `{"access_token":"a","token_type":"mac"}`), wantFault: FaultProvider, wantCheck: "token_type"},
		"no token type":          {answer: jsonAnswer(200, `{"access_token":"a"}`), wantFault: FaultProvider, wantCheck: "token_type"},
		"access token a number":  {answer: jsonAnswer(200, `{"access_token":1,"token_type":"Bearer"}`), wantFault: FaultProvider},
		"double member":          {answer: jsonAnswer(200, `{"access_token":"a","access_token":"b","token_type":"Bearer"}`), wantFault: FaultProvider},
		"other case":             {answer: jsonAnswer(200, `{"Access_Token":"a","token_type":"Bearer"}`), wantFault: FaultProvider},
		"trailing data":          {answer: jsonAnswer(200, `{"access_token":"a","token_type":"Bearer"}{}`), wantFault: FaultProvider},
		"huge token":             {answer: jsonAnswer(200, `{"access_token":"`+strings.Repeat("a", maxToken+1)+`","token_type":"Bearer"}`), wantFault: FaultProvider},
		"negative expiry":        {answer: jsonAnswer(200, `{"access_token":"a","token_type":"Bearer","expires_in":-1}`), wantFault: FaultProvider},
		"expiry in hexadecimal":  {answer: jsonAnswer(200, `{"access_token":"a","token_type":"Bearer","expires_in":"0x10"}`), wantFault: FaultProvider},
		"expiry nothing":         {answer: jsonAnswer(200, `{"access_token":"a","token_type":"Bearer","expires_in":""}`), wantFault: FaultProvider},
		"expiry infinite":        {answer: jsonAnswer(200, `{"access_token":"a","token_type":"Bearer","expires_in":"Inf"}`), wantFault: FaultProvider},
		"expiry as words":        {answer: jsonAnswer(200, `{"access_token":"a","token_type":"Bearer","expires_in":"soon"}`), wantFault: FaultProvider},
		"invalid_grant":          {answer: jsonAnswer(400, `{"error":"invalid_grant","error_description":"s3cr3t"}`), wantFault: FaultAnswer, wantCode: "invalid_grant"},
		"invalid_client":         {answer: jsonAnswer(401, `{"error":"invalid_client"}`), wantFault: FaultProvider, wantCode: "invalid_client"},
		"code with control":      {answer: jsonAnswer(400, `{"error":"s3cr3t\u0000"}`), wantFault: FaultProvider, wantCode: "unprintable_error"},
		"500":                    {answer: jsonAnswer(500, `{}`), wantFault: FaultProvider},
		"503":                    {answer: jsonAnswer(503, `{"error":"invalid_grant"}`), wantFault: FaultOutage},
		"429":                    {answer: jsonAnswer(429, ``), wantFault: FaultOutage},
		"302":                    {answer: jsonAnswer(302, ``), wantFault: FaultProvider},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := readTokenResponse(StepExchange, tt.answer, []string{typeBearer}, testNow)
			var refused *Error
			require.True(t, errors.As(err, &refused), "%v", err)
			assert.Equal(t, tt.wantFault, refused.Fault)
			assert.Equal(t, tt.wantCode, refused.Code)
			assert.Equal(t, tt.wantCheck, refused.Check)
			assert.NotContains(t, err.Error(), "s3cr3t")
		})
	}
}

// What a provider says of a login that is under way ends no session that has been.
func TestRefreshErrorsThatEndASession(t *testing.T) {
	for code, again := range map[string]bool{
		"invalid_grant": true, "login_required": true, "authorization_pending": false, "slow_down": false, "temporarily_unavailable": false, "invalid_client": false,
	} {
		e := tokenError(StepRefresh, jsonAnswer(400, `{"error":"`+code+`"}`))
		assert.Equal(t, code, e.Code)
		assert.Equal(t, again, e.LoginAgain(), code)
	}
	for _, code := range []string{"authorization_pending", "slow_down"} {
		assert.Equal(t, FaultAnswer, tokenError(StepGrant, jsonAnswer(400, `{"error":"`+code+`"}`)).Fault, code)
	}
}

func FuzzReadTokenResponse(f *testing.F) {
	f.Add(200, `{"access_token":"a","token_type":"Bearer","expires_in":3600}`)
	f.Add(400, `{"error":"invalid_grant"}`)
	f.Add(202, `{"status":false}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		got, err := readTokenResponse(StepExchange, jsonAnswer(status, body), []string{typeBearer}, testNow)
		if (got == nil) == (err == nil) {
			t.Fatal("neither or both of answer and error")
		}
		if err == nil && (status != 200 || got.accessToken == "") {
			t.Fatal("accepted what is no token response")
		}
	})
}

// An API asks for a nonce by 401 and its own error, and by nothing else (RFC 9449 §9).
func TestWantsNonceAtAPI(t *testing.T) {
	for challenge, status := range map[string]int{
		`DPoP error="use_dpop_nonce"`:                   401,
		`dPoP algs="ES256", error="use_dpop_nonce"`:     401,
		`Bearer realm="x", DPoP error="use_dpop_nonce"`: 401,
		`DPoP error="invalid_token"`:                    0,
		`Bearer error="use_dpop_nonce"`:                 0,
		`DPoP realm="use_dpop_nonce"`:                   0,
		``:                                              0,
	} {
		for _, got := range []int{200, 400, 401, 403} {
			header := http.Header{"Www-Authenticate": {challenge}}
			assert.Equal(t, got == status, wantsNonceAtAPI(got, header), "%d %s", got, challenge)
		}
	}
}
