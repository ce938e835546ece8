package conformance

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
)

// callbackModules are about the authorization response.
func callbackModules() []module {
	refuses := func(name, check string, spoil func(*rp, url.Values)) module {
		return module{"beyond-" + name, all(), func(r *rp) {
			r.op.Change(Authorize, func(_ *Call, a *Answer) { spoil(r, a.Params) })
			_, err := r.login()
			r.refused(err, oidcclient.StepCallback, check, Token, UserInfo)
		}}
	}
	promised := refuses("iss-missing-though-promised", "iss", func(*rp, url.Values) {}).after(func(r *rp) {
		r.op.Change(Discovery, func(_ *Call, a *Answer) { a.Members["authorization_response_iss_parameter_supported"] = true })
	})
	// The iss of an ID token in the response says the same, signed (RFC 9207 §2.4).
	promised.in = append(basic(), variant{"code token", "fragment"}, variant{"code token", "form_post"})
	return []module{
		refuses("state-missing", "state", func(_ *rp, v url.Values) { v.Del("state") }),
		refuses("state-invalid", "state", func(_ *rp, v url.Values) { v.Set("state", v.Get("state")+"1") }),
		refuses("state-twice", "parameters", func(_ *rp, v url.Values) { v.Add("state", v.Get("state")) }),
		refuses("iss-mix-up", "iss", func(_ *rp, v url.Values) { v.Set("iss", "https://attacker.example") }),
		refuses("iss-with-more", "iss", func(r *rp, v url.Values) { v.Set("iss", r.op.Issuer+"/") }),
		refuses("error-beside-answer", "parameters", func(_ *rp, v url.Values) { v.Set("error", "access_denied") }),
		promised,
		{"beyond-token-not-asked-for", basic(), func(r *rp) {
			r.op.Change(Authorize, func(_ *Call, a *Answer) { a.Params.Set("access_token", "injected") })
			_, err := r.login()
			r.refused(err, oidcclient.StepCallback, "parameters", Token, UserInfo)
		}},
		{"beyond-access-token-injected-in-front", with("id_token", "token"), func(r *rp) {
			r.op.Change(Authorize, func(_ *Call, a *Answer) { a.Params.Set("access_token", "injected") })
			_, err := r.login()
			r.refused(err, oidcclient.StepCallback, "at_hash", Token, UserInfo)
		}},
		{"beyond-code-injection", with("code"), func(r *rp) { r.injectsCode(false) }},
		{"beyond-code-injection-without-pkce", with("code"), func(r *rp) { r.injectsCode(true) }},
		{"beyond-answer-of-another-login", all(), func(r *rp) {
			_, pending, err := r.client().Begin(r.Context(), r.begin)
			require.NoError(r, err)
			auth, _, err := r.client().Begin(r.Context(), r.begin)
			require.NoError(r, err)
			_, err = r.client().Complete(r.Context(), pending, r.browse(auth))
			r.refused(err, oidcclient.StepCallback, "state", Token, UserInfo)
		}},
		{"beyond-state-of-another-browser", all(), func(r *rp) {
			s := r.site(nil)
			victim := s.browser.Jar
			jar, err := cookiejar.New(nil)
			require.NoError(r, err)
			s.browser.Jar = jar
			values := s.begin()
			s.browser.Jar = victim
			s.refusesCallback(values, r.responseMode != "query", "state")
			assert.Nil(r, s.session())
			s.browser.Jar = jar
			assert.Equal(r, http.StatusSeeOther, s.callback(values, r.responseMode != "query").StatusCode, "it is good where it was begun")
			s.refusesCallback(values, r.responseMode != "query", "state")
		}},
		{"beyond-response-mode-downgrade", all(), func(r *rp) {
			s := r.site(nil)
			values := s.begin()
			s.refusesCallback(values, r.responseMode == "query", "response_mode")
			assert.Nil(r, s.session())
		}},
	}
}

// injectsCode gives one login the code of another one, at a provider that forgets
// the challenge of PKCE or doesn't.
func (r *rp) injectsCode(forgets bool) {
	r.Helper()
	r.op.ForgetsPKCE = forgets
	first, _, err := r.client().Begin(r.Context(), r.begin)
	require.NoError(r, err)
	second, pending, err := r.client().Begin(r.Context(), r.begin)
	require.NoError(r, err)
	stolen, values := r.browse(first), r.browse(second)
	values.Set("code", stolen.Get("code"))
	_, err = r.client().Complete(r.Context(), pending, values)
	switch {
	case r.has("id_token"):
		r.refused(err, oidcclient.StepCallback, "c_hash", Token, UserInfo)
	case forgets:
		r.refused(err, oidcclient.StepIdentity, "nonce", UserInfo)
	default:
		refused := r.refused(err, oidcclient.StepExchange, "", UserInfo)
		assert.Equal(r, "invalid_grant", refused.Code)
	}
}

// begin begins a login in the browser and returns what it would bring back.
func (s *site) begin() url.Values {
	s.Helper()
	p := s.send(http.MethodGet, s.url+"/login/op", nil)
	to, err := p.Location()
	require.NoError(s, err)
	req, err := http.NewRequestWithContext(s.Context(), http.MethodGet, to.String(), nil)
	require.NoError(s, err)
	return s.brought(req)
}

// callback brings an answer by the form or by the query.
func (s *site) callback(values url.Values, posted bool) page {
	s.Helper()
	if posted {
		return s.send(http.MethodPost, s.url+"/callback/op", values)
	}
	return s.send(http.MethodGet, s.url+"/callback/op?"+values.Encode(), nil)
}

func (s *site) refusesCallback(values url.Values, posted bool, check string) {
	s.Helper()
	tokens := len(s.op.Calls(Token))
	s.refuses(s.callback(values, posted), check, "login_refused")
	assert.Len(s, s.op.Calls(Token), tokens, "no code is sent")
}
