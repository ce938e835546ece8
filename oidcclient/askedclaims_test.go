package oidcclient

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/idtoken"
	"github.com/rely-go/rely/internal/strictjson"
)

// claimsText is an identity with these claims.
type claimsText string

func (c claimsText) Claims(v any) error { return strictjson.Unmarshal([]byte(c), v, maxDepth) }

// afterCookie is what is left of the demands of a login that was sealed and opened.
func afterCookie(t *testing.T, asked askedClaims) askedClaims {
	t.Helper()
	sealer, err := NewSealer(make([]byte, SealerKeySize))
	require.NoError(t, err)
	text, err := sealer.SealPending(&Pending{pendingData{Version: pendingVersion, Asked: asked}})
	require.NoError(t, err)
	pending, err := sealer.OpenPending(text)
	require.NoError(t, err)
	return pending.data.Asked
}

// judged holds the claims of an ID token against a request for some, right after it and
// when it was in a cookie meanwhile.
func judged(t *testing.T, request, claims string, whole bool) error {
	t.Helper()
	asked, refused := readAsked(`{"id_token":` + request + `}`)
	require.Nil(t, refused, request)
	kept := afterCookie(t, asked)
	assert.Equal(t, asked, kept)
	policy := idtoken.ACRPolicy{Ordered: [][]string{{"low", "high"}}}
	err := kept.check(StepIdentity, claimsText(claims), whole, policy)
	assert.Equal(t, asked.check(StepIdentity, claimsText(claims), whole, policy), err)
	if err != nil {
		var refused *Error
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, "claims", refused.Check)
		assert.Equal(t, FaultAnswer, refused.Fault)
		assert.NotContains(t, err.Error(), "secret")
	}
	return err
}

func TestAskedClaims(t *testing.T) {
	const intent = `{"intent":{"essential":true,"value":"secret-1"}}`
	for name, tt := range map[string]struct {
		request   string
		good, bad []string // claims
	}{
		"a value": {intent, []string{`{"intent":"secret-1","more":1}`}, []string{
			`{}`, `{"intent":null}`, `{"intent":""}`, `{"intent":"secret-2"}`, `{"intent":"Secret-1"}`, `{"intent":["secret-1"]}`, `{"intent":{"value":"secret-1"}}`, `{"Intent":"secret-1"}`,
		}},
		"one of the values": {`{"intent":{"essential":true,"values":["a",7,["b"]]}}`, []string{`{"intent":"a"}`, `{"intent":7.0}`, `{"intent":["b"]}`}, []string{`{}`, `{"intent":"7"}`, `{"intent":"b"}`, `{"intent":["a"]}`}},
		"false":             {`{"over18":{"essential":true,"value":false}}`, []string{`{"over18":false}`}, []string{`{}`, `{"over18":true}`, `{"over18":null}`, `{"over18":""}`}},
		"an object":         {`{"o":{"essential":true,"value":{"a":[1]}}}`, []string{`{"o":{"a":[1]}}`}, []string{`{"o":{"a":[1],"b":2}}`, `{"o":{"a":[]}}`, `{}`}},
		"two claims":        {`{"a":{"essential":true,"value":"1"},"b":{"essential":true,"value":"2"}}`, []string{`{"a":"1","b":"2"}`}, []string{`{"a":"1"}`, `{"b":"2"}`, `{"a":"2","b":"1"}`}},
		"essential alone":   {`{"intent":{"essential":true}}`, []string{`{}`, `{"intent":"anything"}`}, nil},
		"not essential":     {`{"intent":{"value":"a"},"other":{"essential":false,"values":["a"]},"third":null}`, []string{`{}`, `{"intent":"b","other":"b"}`}, nil},
		"a null value":      {`{"intent":{"essential":true,"value":null}}`, []string{`{}`}, nil},
		"sub":               {`{"sub":{"value":"anna"}}`, []string{`{"sub":"anna"}`}, []string{`{"sub":"bo"}`, `{}`}},
		"sub of some":       {`{"sub":{"essential":false,"values":["anna","bo"]}}`, []string{`{"sub":"bo"}`}, []string{`{"sub":"cleo"}`}},
		"acr":               {`{"acr":{"essential":true,"values":["high","other"]}}`, []string{`{"acr":"high"}`, `{"acr":"other"}`}, []string{`{}`, `{"acr":"low"}`, `{"acr":""}`, `{"acr":["high"]}`}},
		"acr by its order":  {`{"acr":{"essential":true,"value":"low"}}`, []string{`{"acr":"low"}`, `{"acr":"high"}`}, []string{`{"acr":"lower"}`}},
		"acr, not a text":   {`{"acr":{"essential":true,"value":1}}`, nil, []string{`{"acr":1}`, `{"acr":"1"}`, `{"acr":""}`, `{}`}},
	} {
		for _, claims := range tt.good {
			assert.NoError(t, judged(t, tt.request, claims, true), "%s: %s", name, claims)
		}
		for _, claims := range tt.bad {
			assert.Error(t, judged(t, tt.request, claims, true), "%s: %s", name, claims)
		}
	}
	// Beside a code only what is there counts, and it has to be right.
	assert.NoError(t, judged(t, intent, `{}`, false))
	assert.NoError(t, judged(t, intent, `{"intent":null}`, false))
	assert.NoError(t, judged(t, intent, `{"intent":"secret-1"}`, false))
	assert.Error(t, judged(t, intent, `{"intent":"secret-2"}`, false))
	assert.Error(t, judged(t, intent, `{"intent":"secret-1"`, true), "which can't be read")
	assert.NoError(t, judged(t, `{}`, `{`, true), "nothing is read where nothing was asked for")
}

func TestAskedVerifiedClaims(t *testing.T) {
	// What stands in the place of … is a verification.
	asks := func(verification string) string {
		return `{"verified_claims":{"verification":` + verification + `,"claims":{"over18":{"essential":true}}}}`
	}
	says := func(verification string) string {
		return `{"verified_claims":{"verification":` + verification + `,"claims":{"over18":true}}}`
	}
	const gold = `{"trust_framework":"gold"}`
	filter := func(evidence string) string { return asks(`{"trust_framework":null,"evidence":` + evidence + `}`) }
	shows := func(evidence string) string { return says(`{"trust_framework":"gold","evidence":` + evidence + `}`) }
	for name, tt := range map[string]struct {
		request   string
		good, bad []string // claims
	}{
		"a framework": {asks(`{"trust_framework":{"value":"gold"}}`),
			[]string{says(gold), `{}`, `{"verified_claims":null}`, says(`{"trust_framework":"gold","time":"2026-01-01T00:00Z"}`), `{"verified_claims":[{"verification":` + gold + `},{"verification":` + gold + `}]}`},
			[]string{
				says(`{"trust_framework":"silver"}`), says(`{"trust_framework":"Gold"}`), says(`{"trust_framework":["gold"]}`), says(`{"trust_framework":{"value":"gold"}}`), says(`{"trust_framework":""}`), says(`{}`), says(`null`), says(`"gold"`),
				`{"verified_claims":{"claims":{"over18":true}}}`, `{"verified_claims":{"trust_framework":"gold"}}`, `{"verified_claims":"gold"}`, `{"verified_claims":false}`,
				`{"verified_claims":[{"verification":` + gold + `},{"verification":{"trust_framework":"silver"}}]}`, `{"verified_claims":[{"verification":` + gold + `},"silver"]}`,
			}},
		"one of two":    {asks(`{"trust_framework":{"values":["gold","silver"]}}`), []string{says(gold), says(`{"trust_framework":"silver"}`)}, []string{says(`{"trust_framework":"bronze"}`)}},
		"any":           {asks(`{"trust_framework":null}`), []string{says(gold)}, []string{says(`{}`), says(`{"trust_framework":7}`)}},
		"nothing said":  {`{"verified_claims":{"claims":{"over18":null}}}`, []string{says(gold)}, []string{says(`{}`)}},
		"null":          {`{"verified_claims":null}`, []string{says(gold), `{}`}, []string{says(`{}`)}},
		"not asked for": {`{"txn":{"essential":true}}`, []string{says(`{}`)}, nil},
		"two elements": {`{"verified_claims":[{"verification":{"trust_framework":{"value":"gold"}}},{"verification":{"trust_framework":{"value":"silver"},"assurance_level":{"value":"high"}}}]}`,
			[]string{says(gold), says(`{"trust_framework":"silver","assurance_level":"high"}`)},
			[]string{says(`{"trust_framework":"silver"}`), says(`{"trust_framework":"silver","assurance_level":"low"}`), says(`{"trust_framework":"bronze","assurance_level":"high"}`)}},
		"something deeper": {asks(`{"trust_framework":null,"assurance_process":{"policy":{"value":"p"},"procedure":null}}`),
			[]string{says(`{"trust_framework":"gold","assurance_process":{"policy":"p"}}`)},
			[]string{says(gold), says(`{"trust_framework":"gold","assurance_process":{"policy":"q"}}`), says(`{"trust_framework":"gold","assurance_process":"p"}`), says(`{"trust_framework":"gold","assurance_process":{}}`), says(`{"trust_framework":"gold","policy":"p"}`)}},
		"filters": {filter(`[{"type":{"value":"document"},"check_details":[{"check_method":{"values":["vpip","vri"]}}]},{"type":{"value":"vouch"}}]`),
			[]string{shows(`[{"type":"document","check_details":[{"check_method":"vri"}]}]`), shows(`[{"type":"vouch"}]`), shows(`[{"type":"vouch"},{"type":"document","check_details":[{"check_method":"vpip"}]}]`)},
			[]string{says(gold), shows(`[]`), shows(`null`), shows(`{"type":"vouch"}`), shows(`[{"type":"electronic_record"}]`), shows(`[{"type":"vouch"},{"type":"electronic_record"}]`), shows(`[{"type":"document"}]`), shows(`[{"type":"document","check_details":[{"check_method":"bvp"}]}]`), shows(`["vouch"]`)}},
		"a filter for everything": {filter(`[{"type":{"value":"document"}},{"type":null}]`), []string{shows(`[{"type":"vouch"}]`), says(gold)}, nil},
		"an empty filter":         {filter(`[]`), []string{shows(`[{"type":"vouch"}]`), says(gold)}, nil},
		"other members":           {asks(`{"trust_framework":{"essential":true,"purpose":"why"},"time":{"max_age":60}}`), []string{says(gold)}, nil},
	} {
		for _, claims := range tt.good {
			assert.NoError(t, judged(t, tt.request, claims, true), "%s: %s", name, claims)
			assert.NoError(t, judged(t, tt.request, claims, false), "%s: %s", name, claims)
		}
		for _, claims := range tt.bad {
			assert.Error(t, judged(t, tt.request, claims, true), "%s: %s", name, claims)
			assert.Error(t, judged(t, tt.request, claims, false), "%s in front: %s", name, claims)
		}
	}
}

// What is taken can be kept and opened, however deep it is.
func TestAskedClaimsOfSomeDepth(t *testing.T) {
	for _, around := range []string{`{"a":{"essential":true,"value":%s}}`, `{"verified_claims":{"verification":{"x":%s}}}`} {
		taken := 0
		for depth := range maxDepth + 1 {
			deep := strings.Repeat("[", depth) + `{"value":1}` + strings.Repeat("]", depth)
			asked, refused := readAsked(`{"id_token":` + fmt.Sprintf(around, deep) + `}`)
			if refused == nil {
				taken++
				assert.Equal(t, asked, afterCookie(t, asked))
			}
		}
		assert.Greater(t, taken, maxDepth-8)
		assert.LessOrEqual(t, taken, maxDepth)
	}
}

// A request that the provider could understand in another way than we do is not sent.
func TestClaimsRequestsThatAreRefused(t *testing.T) {
	for _, request := range []string{
		`[]`, `null`, `"x"`, `{`, `{}{}`, `{"id_token":[]}`, `{"id_token":"x"}`, `{"id_token":{},"id_token":{}}`,
		`{"id_token":{"a":{"value":1,"value":2}}}`, `{"userinfo":{"a":null,"a":null}}`,
		`{"id_token":{"a":true}}`, `{"id_token":{"a":["x"]}}`, `{"id_token":{"a":{"essential":"true","value":1}}}`, `{"id_token":{"a":{"essential":1}}}`,
		`{"id_token":{"a":{"value":1,"values":[1]}}}`, `{"id_token":{"a":{"values":1}}}`, `{"id_token":{"a":{"values":[]}}}`, `{"id_token":{"a":{"values":[1,null]}}}`,
		`{"id_token":{"verified_claims":"x"}}`, `{"id_token":{"verified_claims":[true]}}`, `{"id_token":{"verified_claims":{"verification":"x"}}}`, `{"id_token":{"verified_claims":{"verification":[]}}}`,
		`{"id_token":{"verified_claims":{"verification":{"trust_framework":{"values":[]}}}}}`, `{"id_token":{"verified_claims":{"verification":{"a":{"b":{"values":"x"}}}}}}`,
		`{"id_token":{"verified_claims":{"verification":{"evidence":[{"type":{"value":"a","values":["a"]}}]}}}}`,
	} {
		_, _, err := staticClient(t, nil).Begin(t.Context(), BeginOptions{Claims: request})
		var refused *Error
		require.ErrorAs(t, err, &refused, request)
		assert.Equal(t, "claims", refused.Check, request)
		assert.Equal(t, StepBegin, refused.Step)
		_, err = staticClient(t, nil).LoginWithGrant(t.Context(), nil, GrantExpect{Claims: request})
		require.ErrorAs(t, err, &refused, request)
		assert.Equal(t, StepGrant, refused.Step)
		assert.Equal(t, err, GrantExpect{Claims: request}.Check())
		config := Config{Profile: Profile{Name: "test"}, Issuer: "https://op.example", ClientID: "c", RedirectURI: "https://rp.example/cb", Authorize: BeginOptions{Claims: request}}
		var wrong *ConfigError
		_, err = New(config)
		require.ErrorAs(t, err, &wrong)
		assert.Equal(t, "Authorize.claims", wrong.Field)
	}
	for name, good := range map[string]bool{"claims": false, "claim": true} {
		_, err := New(Config{Profile: Profile{Name: "test", AuthorizeParams: map[string]string{name: `{}`}}, Issuer: "https://op.example", ClientID: "c", ClientSecret: "s"})
		assert.Equal(t, good, err == nil, "%v", err)
	}
	for _, request := range []string{"", `{}`, `{"id_token":null}`, `{"id_token":{"a":null},"x":1}`, `{"userinfo":{"a":{"essential":true,"value":"x"}}}`} {
		asked, refused := readAsked(request)
		require.Nil(t, refused, request)
		assert.Zero(t, asked, request)
		require.NoError(t, GrantExpect{Claims: request}.Check())
	}
}

// Every ID token that identifies the person has what was asked for; the one beside a code
// may leave it to the next.
func TestAskedClaimsOfALogin(t *testing.T) {
	const request = `{"id_token":{"intent":{"essential":true,"value":"i-1"}}}`
	right, wrong := map[string]any{"intent": "i-1"}, map[string]any{"intent": "i-2"}
	for name, tt := range map[string]struct {
		responseType string
		front, back  map[string]any
		step         Step // that refuses; "": none
	}{
		"code":                    {"code", nil, right, ""},
		"code, another value":     {"code", nil, wrong, StepIdentity},
		"code, none":              {"code", nil, nil, StepIdentity},
		"hybrid":                  {"code id_token", right, right, ""},
		"hybrid, behind only":     {"code id_token", nil, right, ""},
		"hybrid, in front only":   {"code id_token", right, nil, StepIdentity},
		"hybrid, wrong in front":  {"code id_token", wrong, right, StepCallback},
		"hybrid, wrong behind":    {"code id_token", right, wrong, StepIdentity},
		"implicit":                {"id_token", right, nil, ""},
		"implicit, another value": {"id_token", wrong, nil, StepCallback},
		"implicit, none":          {"id_token", nil, nil, StepCallback},
	} {
		t.Run(name, func(t *testing.T) {
			r := newFrontRig(t, func(c *Config) { c.ResponseType, c.Authorize.Claims = tt.responseType, request })
			assert.Equal(t, request, r.asked.Get("claims"))
			if r.values.Has("id_token") {
				spoilToken("intent", tt.front["intent"])(t, r)
			}
			body, err := json.Marshal(map[string]any{"access_token": "back", "token_type": "Bearer", "id_token": r.token(t, tt.back)})
			require.NoError(t, err)
			r.network.body = string(body)
			session, err := r.c.Complete(t.Context(), r.pending, r.values)
			if tt.step == "" {
				require.NoError(t, err)
				return
			}
			assert.Nil(t, session)
			var refused *Error
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, tt.step, refused.Step)
			assert.Equal(t, "claims", refused.Check)
			assert.Equal(t, tt.step == StepIdentity, len(r.network.sent) > 0)
		})
	}
}

// What the configuration asks for by the time of the answer is not what this login asked
// for.
func TestAskedClaimsAreTheLogins(t *testing.T) {
	for _, asked := range []string{"i-1", "i-2"} {
		r := newFrontRig(t, func(c *Config) {
			c.Authorize.Claims = `{"id_token":{"intent":{"essential":true,"value":"` + asked + `"}}}`
		})
		body, err := json.Marshal(map[string]any{"access_token": "back", "token_type": "Bearer", "id_token": r.token(t, map[string]any{"intent": "i-1"})})
		require.NoError(t, err)
		r.network.body = string(body)
		later := r.c.cfg
		later.Authorize.Claims = `{"id_token":{"intent":{"essential":true,"value":"i-3"}}}`
		c, err := New(later)
		require.NoError(t, err)
		_, err = c.Complete(t.Context(), r.pending, r.values)
		assert.Equal(t, asked == "i-1", err == nil, "%v", err)
	}
}

// FuzzReadAsked: what is taken can be kept, and comes back as it was; no answer makes it
// panic.
func FuzzReadAsked(f *testing.F) {
	for _, seed := range [][2]string{
		{`{"id_token":{"a":{"essential":true,"value":1e2}}}`, `{"a":100}`},
		{`{"id_token":{"acr":{"essential":true,"values":["a","b"]},"sub":{"value":"x"}}}`, `{"acr":"b","sub":"x"}`},
		{`{"id_token":{"verified_claims":{"verification":{"trust_framework":{"value":"g"},"evidence":[{"type":{"value":"d"}}]}}}}`, `{"verified_claims":{"verification":{"trust_framework":"g","evidence":[{"type":"d"}]}}}`},
		{`{"id_token":{"verified_claims":[null,{"verification":{"x":[[{"value":1}]]}}]}}`, `{"verified_claims":[{"verification":{"trust_framework":"g","x":[[1]]}}]}`},
		{`{"id_token":{"a":true}}`, `{}`},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, request, claims string) {
		asked, refused := readAsked(request)
		if refused != nil {
			if len(refused.Error()) > 400 {
				t.Fatalf("error of %d bytes", len(refused.Error()))
			}
			return
		}
		err := asked.check(StepIdentity, claimsText(claims), true, idtoken.ACRPolicy{})
		if again := afterCookie(t, asked).check(StepIdentity, claimsText(claims), true, idtoken.ACRPolicy{}); (err == nil) != (again == nil) {
			t.Fatalf("before it was kept: %v, and after: %v", err, again)
		}
	})
}
