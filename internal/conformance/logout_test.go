package conformance

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/weblogin"
)

// logoutModules are those of the four logout specifications.
func logoutModules() []module {
	return slices.Concat(rpInitiatedModules(), backChannelModules(), frontChannelModules(), sessionModules())
}

// rpInitiatedModules are of RP-Initiated Logout.
func rpInitiatedModules() []module {
	// comesBack changes the state with which the browser comes back. code is what the
	// application is told that is wrong with it, then.
	comesBack := func(name string, known bool, code string, change func(url.Values)) module {
		return module{"oidcc-client-test-rp-init-logout" + name, all(), func(r *rp) {
			r.op.Change(EndSession, func(_ *Call, a *Answer) {
				if a.To != "" {
					change(a.Params)
				}
			})
			s := r.site(nil)
			subject, sid := s.login()
			s.logout(func() {
				assert.Equal(r, http.StatusOK, s.deliver(r.op.LogoutJWT(subject, sid)).StatusCode)
				assert.Equal(r, http.StatusOK, s.frame(r.op.Issuer, sid).StatusCode)
			})
			s.cameBack(known, code)
			assert.Nil(r, s.session(), "it ended here first, whatever the provider does")
			require.Len(r, r.op.Calls(EndSession), 1)
			call := r.op.Calls(EndSession)[0]
			assert.Equal(r, s.url+"/", call.Query.Get("post_logout_redirect_uri"))
			assert.GreaterOrEqual(r, len(call.Query.Get("state")), 22)
			assert.Equal(r, r.op.Client.ID, call.Query.Get("client_id"))
		}}
	}
	return []module{
		comesBack("", true, "", func(url.Values) {}),
		comesBack("-other-state", false, "invalid_request", func(v url.Values) { v.Set("state", v.Get("state")+"1") }),
		comesBack("-no-state", false, "", func(v url.Values) { v.Del("state") }),
	}
}

// cameBack demands what the application is told of a browser that comes back from the
// provider's logout: that it knows it, or what is wrong.
func (s *site) cameBack(known bool, code string) {
	s.Helper()
	assert.Equal(s, known, s.knewLogout)
	if code == "" {
		assert.NoError(s, s.notKnown)
		return
	}
	var wrong *weblogin.Problem
	require.ErrorAs(s, s.notKnown, &wrong)
	assert.Equal(s, http.StatusBadRequest, wrong.Status)
	assert.Equal(s, code, wrong.Code)
}

// backChannelModules are of Back-Channel Logout.
func backChannelModules() []module {
	const name = "oidcc-client-test-rp-backchannel-rpinitlogout"
	refuses := func(suffix, check string, spoil func(*JWT)) module {
		return refusesLogout(name+suffix, check, spoil, all())
	}
	event := func(name string) map[string]any { return map[string]any{name: map[string]any{}} }
	return []module{
		module{name, all(), func(r *rp) {
			s := r.site(nil)
			subject, sid := s.login()
			s.logout(func() {
				p := s.deliver(r.op.LogoutJWT(subject, sid))
				assert.Equal(r, http.StatusOK, p.StatusCode, p.body)
				assert.Contains(r, p.Header.Get("Cache-Control"), "no-store")
			})
			s.cameBack(true, "")
			// And without the application having ended anything itself.
			subject, sid = s.login()
			token := r.op.LogoutJWT(subject, sid)
			assert.Equal(r, http.StatusOK, s.deliver(token).StatusCode)
			assert.Nil(r, s.session())
			assert.Equal(r, http.StatusBadRequest, s.deliver(token).StatusCode, "a token is good once")
		}}.after((*rp).useRS256),
		refuses("-alg-none", "shape", func(t *JWT) { t.Header = map[string]any{"alg": "none"} }),
		refuses("-wrong-alg", "header", func(t *JWT) {
			t.Header["alg"], t.Header["kid"] = "ES256", usualKeys()[2].ID() // which is published
		}).after((*rp).useRS256),
		refuses("-wrong-iss", "iss", func(t *JWT) { t.Claims["iss"] = t.Claims["iss"].(string) + "INVALID" }),
		refuses("-wrong-aud", "aud", func(t *JWT) { t.Claims["aud"] = t.Claims["aud"].(string) + "INVALID" }),
		refuses("-no-event", "event", without("events")),
		refuses("-wrong-event", "event", set("events", event("http://schemas.openid.net/event/foobar"))),
		refuses("-with-nonce", "nonce", set("nonce", "any")),
	}
}

// refusesLogout is a module with a spoiled logout token, which has to be refused for
// check, and to leave the session alone.
func refusesLogout(name, check string, spoil func(*JWT), in []variant) module {
	return module{name, in, func(r *rp) {
		r.op.ChangeJWT(spoil, LogoutToken)
		s := r.site(nil)
		subject, sid := s.login()
		_, err := r.client().VerifyLogoutToken(r.Context(), r.op.LogoutJWT(subject, sid))
		r.refused(err, oidcclient.StepLogout, check)
		p := s.deliver(r.op.LogoutJWT(subject, sid))
		assert.Equal(r, http.StatusBadRequest, p.StatusCode)
		assert.Contains(r, p.body, `"error":"invalid_request"`)
		assert.Contains(r, p.Header.Get("Cache-Control"), "no-store")
		assert.NotNil(r, s.session(), "it goes on")
		s.logout(func() {
			assert.Equal(r, http.StatusBadRequest, s.deliver(r.op.LogoutJWT(subject, sid)).StatusCode)
		})
		s.cameBack(true, "")
	}}
}

// unseenLogoutModules are about logout tokens that the suite does not send.
func unseenLogoutModules() []module {
	return []module{
		refusesLogout("beyond-logout-token-of-nobody", "sub", func(t *JWT) {
			delete(t.Claims, "sub")
			delete(t.Claims, "sid")
		}, oneOfEach()),
		refusesLogout("beyond-logout-token-without-jti", "profile", without("jti"), oneOfEach()),
		refusesLogout("beyond-logout-token-without-iat", "iat", without("iat"), oneOfEach()),
		refusesLogout("beyond-logout-token-expired", "exp", set("exp", 1), oneOfEach()),
		refusesLogout("beyond-logout-token-invalid-sig", "signature", broken, oneOfEach()),
		refusesLogout("beyond-logout-token-typ-access-token", "header", func(t *JWT) { t.Header["typ"] = "at+jwt" }, oneOfEach()),
		refusesLogout("beyond-logout-token-event-no-object", "event", set("events", map[string]any{"http://schemas.openid.net/event/backchannel-logout": true}), oneOfEach()),
		{"beyond-logout-token-of-another-session", oneOfEach(), func(r *rp) {
			s := r.site(nil)
			subject, sid := s.login()
			assert.Equal(r, http.StatusOK, s.deliver(r.op.LogoutJWT("", sid+"1")).StatusCode)
			assert.NotNil(r, s.session())
			assert.Equal(r, http.StatusOK, s.deliver(r.op.LogoutJWT(subject, "")).StatusCode)
			assert.Nil(r, s.session(), "a subject without sid is all of its sessions")
		}},
		{"beyond-session-state", all(), func(r *rp) {
			r.op.Change(Authorize, func(_ *Call, a *Answer) { a.Params.Set("session_state", "hash.salt") })
			assert.Equal(r, "hash.salt", r.accepted(r.login()).SessionState())
		}},
	}
}

// frontChannelModules are of Front-Channel Logout.
func frontChannelModules() []module {
	ends := func(s *site, sid string) {
		for _, wrong := range [][2]string{{s.op.Issuer + "1", sid}, {s.op.Issuer, sid + "1"}, {s.op.Issuer, ""}} {
			s.frame(wrong[0], wrong[1])
			require.NotNil(s, s.session(), "iss and sid both name the session")
		}
		p := s.frame(s.op.Issuer, sid)
		assert.Equal(s, http.StatusOK, p.StatusCode)
		assert.Empty(s, p.Header.Get("X-Frame-Options"))
		assert.NotContains(s, p.Header.Get("Content-Security-Policy"), "frame-ancestors")
		assert.Contains(s, p.Header.Get("Cache-Control"), "no-store")
		assert.Nil(s, s.session())
	}
	return []module{
		{"oidcc-client-test-rp-frontchannel-opinitlogout", all(), func(r *rp) {
			s := r.site(nil)
			_, sid := s.login()
			ends(s, sid)
			r.uncalled(EndSession)
		}},
		{"oidcc-client-test-rp-frontchannel-rpinitlogout", all(), func(r *rp) {
			s := r.site(nil)
			_, sid := s.login()
			s.logout(func() {
				assert.Equal(r, http.StatusOK, s.frame(r.op.Issuer, sid).StatusCode, "it ended before")
			})
			s.cameBack(true, "")
			_, sid = s.login()
			ends(s, sid)
		}},
	}
}
