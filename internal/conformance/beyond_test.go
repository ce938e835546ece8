package conformance

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
)

// beyondModules are about what the suite can't see.
func beyondModules() []module {
	return slices.Concat(claimModules(), timeModules(), tokenModules(), callbackModules(), networkModules(), proofModules(), unseenLogoutModules())
}

// claimModules are about claims that no module of the suite spoils.
func claimModules() []module {
	refuses := func(name, check string, spoil func(*JWT)) module {
		return module{"beyond-" + name, all(), func(r *rp) { r.refusesIDTokens(check, spoil) }}
	}
	refreshed := func(name, check string, spoil func(*JWT)) module {
		return module{"beyond-refresh-token-" + name, with("code"), func(r *rp) { r.refusesRefresh(check, spoil) }}
	}
	return []module{
		refuses("azp-another-client", "azp", set("azp", "another-client")),
		refuses("aud-another-beside", "aud", func(t *JWT) { t.Claims["aud"] = []any{t.Claims["aud"], "another-client"} }),
		refuses("nonce-missing", "nonce", without("nonce")),
		refuses("sub-too-long", "sub", func(t *JWT) { t.Claims["sub"] = strings.Repeat("x", 256) }),
		refuses("logout-token-for-id-token", "event", set("events", map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}})),
		refuses("typ-access-token", "header", func(t *JWT) { t.Header["typ"] = "at+jwt" }),
		{"beyond-acr-too-weak", all(), func(r *rp) {
			r.config.MinACR = "urn:example:strong"
			r.demandsOfIdentity("acr", set("acr", "urn:example:strong"), without("acr"), set("acr", "urn:example:stronger"), set("acr", 2))
			assert.Equal(r, "urn:example:strong", r.asked().Get("acr_values"))
		}},
		{"beyond-auth-time-older-than-max-age", all(), func(r *rp) {
			age := 5 * time.Minute
			r.config.MaxAge = &age
			old := func(d time.Duration) func(*JWT) { return set("auth_time", r.op.Now.Add(-d).Unix()) }
			r.demandsOfIdentity("auth_time", old(age+30*time.Second), without("auth_time"), old(age+31*time.Second), old(-31*time.Second))
			assert.Equal(r, "300", r.asked().Get("max_age"))
		}},
		{"beyond-somebody-else-in-front", with("code", "id_token"), func(r *rp) {
			r.op.ChangeJWT(more("sub"), FrontToken)
			_, err := r.login()
			r.refused(err, oidcclient.StepIdentity, "sub", UserInfo)
		}},
		refreshed("invalid-aud", "aud", more("aud")),
		refreshed("invalid-auth-time", "refresh", set("auth_time", 1)),
		refreshed("invalid-nonce", "nonce", set("nonce", "another")),
		refreshed("invalid-azp", "azp", set("azp", "another-client")),
		refreshed("invalid-sig", "signature", broken),
		refreshed("missing-sub", "sub", without("sub")),
		refreshed("expired", "exp", set("exp", 1)),
	}
}

// demandsOfIdentity logs in with an ID token as good makes it, and is refused for
// check with what each of the bad ones makes. It is about the token that is the
// identity: the one for the code, where there is one.
func (r *rp) demandsOfIdentity(check string, good func(*JWT), bad ...func(*JWT)) {
	r.Helper()
	kind, step := FrontToken, oidcclient.StepCallback
	if r.has("code") {
		kind, step = CodeToken, oidcclient.StepIdentity
	}
	for i, spoil := range bad {
		r.Run(string(rune('a'+i)), func(t *testing.T) {
			r := r.again(t)
			r.op.ChangeJWT(spoil, kind)
			_, err := r.login()
			r.refused(err, step, check, UserInfo)
		})
	}
	r.op.ChangeJWT(good, FrontToken, CodeToken)
	r.accepted(r.login())
}

// timeModules are about how far clocks may be apart: half a minute.
func timeModules() []module {
	at := func(claim string, d time.Duration) func(*rp) func(*JWT) {
		return func(r *rp) func(*JWT) { return set(claim, r.op.Now.Add(d).Unix()) }
	}
	limit := func(name, check string, last, over func(*rp) func(*JWT)) module {
		return module{"beyond-" + name, all(), func(r *rp) {
			r.demandsOfIdentity(check, last(r), over(r))
		}}
	}
	const skew = 30 * time.Second
	return []module{
		limit("clock-skew-exp", "exp", at("exp", time.Second-skew), at("exp", -skew)),
		limit("clock-skew-iat", "iat", at("iat", skew), at("iat", skew+time.Second)),
		limit("clock-skew-nbf", "nbf", at("nbf", skew), at("nbf", skew+time.Second)),
		limit("nbf-no-number", "nbf", at("nbf", 0), func(*rp) func(*JWT) { return set("nbf", "now") }),
		{"beyond-iat-week-in-past", with("id_token"), func(r *rp) {
			r.Run("in front", func(t *testing.T) { r.refusesFront(t, "iat", set("iat", r.op.Now.Add(-7*24*time.Hour).Unix())) })
		}},
		{"beyond-login-begun-too-long-ago", all(), func(r *rp) {
			auth, pending, err := r.client().Begin(r.Context(), r.begin)
			require.NoError(r, err)
			values := r.browse(auth)
			r.op.Now = r.op.Now.Add(10 * time.Minute)
			_, err = r.client().Complete(r.Context(), pending, values)
			r.refused(err, oidcclient.StepCallback, "expired", Token, UserInfo)
		}},
	}
}
