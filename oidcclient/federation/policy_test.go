package federation

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/internal/strictjson"
)

// linked is a statement about a subordinate with these claims.
func linked(t *testing.T, claims string) *statement {
	t.Helper()
	object, err := strictjson.ParseObject([]byte(claims), maxDepth)
	require.NoError(t, err)
	s := &statement{claims: object}
	require.NoError(t, s.readMetadata())
	return s
}

// resolved applies policies, the anchor's first, to metadata of one entity type.
func resolved(t *testing.T, members string, policiesFromTheTop ...string) (string, error) {
	t.Helper()
	c := &Chain{metadata: metadata{}}
	require.NoError(t, json.Unmarshal([]byte(`{"openid_provider":`+members+`}`), &c.metadata))
	var links []*statement
	for _, text := range policiesFromTheTop {
		links = append([]*statement{linked(t, `{"metadata_policy":{"openid_provider":`+text+`}}`)}, links...)
	}
	if err := c.applyPolicies(links); err != nil {
		return "", err
	}
	text, err := json.Marshal(c.metadata["openid_provider"])
	require.NoError(t, err)
	return string(text), nil
}

func TestOperators(t *testing.T) {
	for name, tt := range map[string]struct{ metadata, policy, want string }{
		"value sets":                    {`{"a":"x"}`, `{"a":{"value":"y"}}`, `{"a":"y"}`},
		"value adds":                    {`{}`, `{"a":{"value":["y"]}}`, `{"a":["y"]}`},
		"value removes":                 {`{"a":"x","b":1}`, `{"a":{"value":null}}`, `{"b":1}`},
		"add to some":                   {`{"a":["x","y"]}`, `{"a":{"add":["y","z"]}}`, `{"a":["x","y","z"]}`},
		"add to none":                   {`{}`, `{"a":{"add":["z"]}}`, `{"a":["z"]}`},
		"default of none":               {`{}`, `{"a":{"default":true}}`, `{"a":true}`},
		"default of some":               {`{"a":false}`, `{"a":{"default":true}}`, `{"a":false}`},
		"default behind add":            {`{}`, `{"a":{"default":["x"],"add":["y"]}}`, `{"a":["y"]}`},
		"one_of":                        {`{"a":"x"}`, `{"a":{"one_of":["y","x"]}}`, `{"a":"x"}`},
		"one_of objects":                {`{"a":{"m":1,"n":2}}`, `{"a":{"one_of":[{"n":2,"m":1}]}}`, `{"a":{"m":1,"n":2}}`},
		"one_of, none there":            {`{}`, `{"a":{"one_of":["x"]}}`, `{}`},
		"subset_of":                     {`{"a":["x","e"]}`, `{"a":{"subset_of":["x","y","z"],"essential":true}}`, `{"a":["x"]}`},
		"subset_of leaves none":         {`{"a":["e"]}`, `{"a":{"subset_of":["x"],"essential":true}}`, `{"a":[]}`},
		"subset_of, none there":         {`{}`, `{"a":{"subset_of":["x"]}}`, `{}`},
		"superset_of":                   {`{"a":["x","y"]}`, `{"a":{"superset_of":["x"]}}`, `{"a":["x","y"]}`},
		"superset_of, none there":       {`{}`, `{"a":{"superset_of":["x"]}}`, `{}`},
		"essential":                     {`{"a":""}`, `{"a":{"essential":true}}`, `{"a":""}`},
		"not essential":                 {`{}`, `{"a":{"essential":false}}`, `{}`},
		"value and what it satisfies":   {`{}`, `{"a":{"value":["x"],"add":["x"],"subset_of":["x","y"],"superset_of":["x"],"essential":true,"default":["z"]}}`, `{"a":["x"]}`},
		"unknown operators":             {`{"a":"x"}`, `{"a":{"regexp":"^y$"}}`, `{"a":"x"}`},
		"scope is a list":               {`{"scope":"openid email phone"}`, `{"scope":{"subset_of":["openid","phone"],"superset_of":["openid"]}}`, `{"scope":"openid phone"}`},
		"scope by default":              {`{}`, `{"scope":{"default":"openid email","subset_of":["openid"]}}`, `{"scope":"openid"}`},
		"numbers":                       {`{"a":[1,2]}`, `{"a":{"subset_of":[2,3]}}`, `{"a":[2]}`},
		"strings with special marks":    {`{"a":["<&>"]}`, `{"a":{"subset_of":["\u003c\u0026\u003e"]}}`, `{"a":["\u003c\u0026\u003e"]}`},
		"what no policy is about stays": {`{"b":{"deep":[1]}}`, `{"a":{"default":1}}`, `{"a":1,"b":{"deep":[1]}}`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := resolved(t, tt.metadata, tt.policy)
			require.NoError(t, err)
			assert.JSONEq(t, tt.want, got)
		})
	}
}

func TestOperatorsRefuse(t *testing.T) {
	for name, tt := range map[string]struct{ metadata, policy string }{
		"one_of another":            {`{"a":"z"}`, `{"a":{"one_of":["y","x"]}}`},
		"one_of a list":             {`{"a":["x"]}`, `{"a":{"one_of":["y","x"]}}`},
		"superset_of lacks":         {`{"a":["x"]}`, `{"a":{"superset_of":["x","y"]}}`},
		"superset_of behind subset": {`{"a":["y"]}`, `{"a":{"superset_of":["x"],"subset_of":["x","y"]}}`},
		"essential, none there":     {`{}`, `{"a":{"subset_of":["x"],"essential":true}}`},
		"add to no list":            {`{"a":"x"}`, `{"a":{"add":["y"]}}`},
		"subset_of no list":         {`{"a":"x"}`, `{"a":{"subset_of":["x"]}}`},
		"superset_of no list":       {`{"a":"x"}`, `{"a":{"superset_of":["x"]}}`},
		"default no list":           {`{}`, `{"a":{"default":"x","subset_of":["x"]}}`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := resolved(t, tt.metadata, tt.policy)
			refused(t, err, "metadata_policy")
		})
	}
}

func TestLongListsAreRefused(t *testing.T) {
	list := func(elements int) string { return "[" + strings.TrimSuffix(strings.Repeat("1,", elements), ",") + "]" }
	for name, tt := range map[string]struct{ whole, longer string }{
		"list":  {`{"a":` + list(maxElements) + `}`, `{"a":` + list(maxElements+1) + `}`},
		"scope": {`{"scope":"` + strings.Repeat("a ", maxElements) + `"}`, `{"scope":"` + strings.Repeat("a ", maxElements+1) + `"}`},
	} {
		t.Run(name, func(t *testing.T) {
			const policy = `{"a":{"subset_of":[1]},"scope":{"subset_of":["a"]}}`
			_, err := resolved(t, tt.whole, policy)
			require.NoError(t, err)
			_, err = resolved(t, tt.longer, policy)
			refused(t, err, "metadata_policy")
		})
	}
	_, err := resolved(t, `{}`, `{"a":{"subset_of":`+list(maxElements+1)+`}}`)
	refused(t, err, "metadata_policy")
}

// Policies that contradict themselves are refused whatever the metadata.
func TestPoliciesThatContradictThemselves(t *testing.T) {
	for _, policy := range []string{
		`{"a":{"essential":"yes"}}`, `{"a":{"essential":null}}`, `{"a":{"add":"x"}}`, `{"a":{"one_of":"x"}}`, `{"a":{"subset_of":{}}}`,
		`{"a":{"superset_of":null}}`, `{"a":{"default":null}}`, `{"a":"x"}`, `[]`,
		`{"a":{"value":null,"default":"x"}}`, `{"a":{"value":null,"essential":true}}`, `{"a":{"value":null,"add":["x"]}}`,
		`{"a":{"value":null,"one_of":["x"]}}`, `{"a":{"value":null,"subset_of":["x"]}}`, `{"a":{"value":null,"superset_of":["x"]}}`,
		`{"a":{"value":["x"],"add":["y"]}}`, `{"a":{"value":"x","add":["x"]}}`, `{"a":{"value":"x","one_of":["y"]}}`,
		`{"a":{"value":["x"],"subset_of":["y"]}}`, `{"a":{"value":"y","subset_of":["y"]}}`, `{"a":{"value":["x"],"superset_of":["y"]}}`,
		`{"a":{"value":"y","superset_of":[]}}`,
		`{"a":{"one_of":["x"],"add":["x"]}}`, `{"a":{"one_of":["x"],"subset_of":["x"]}}`, `{"a":{"one_of":["x"],"superset_of":["x"]}}`,
		`{"a":{"add":["x"],"subset_of":["y"]}}`, `{"a":{"superset_of":["x"],"subset_of":["y"]}}`,
	} {
		t.Run(policy, func(t *testing.T) {
			_, err := resolved(t, `{}`, policy)
			refused(t, err, "metadata_policy")
		})
	}
}

func TestPoliciesAreMerged(t *testing.T) {
	for name, tt := range map[string]struct{ metadata, upper, below, want string }{
		"same value":           {`{}`, `{"a":{"value":"x"}}`, `{"a":{"value":"x"}}`, `{"a":"x"}`},
		"another value":        {`{}`, `{"a":{"value":"x"}}`, `{"a":{"value":"y"}}`, ``},
		"value removed above":  {`{}`, `{"a":{"value":null}}`, `{"a":{"value":"y"}}`, ``},
		"add united":           {`{}`, `{"a":{"add":["x","y"]}}`, `{"a":{"add":["y","z"]}}`, `{"a":["x","y","z"]}`},
		"same default":         {`{}`, `{"a":{"default":1}}`, `{"a":{"default":1}}`, `{"a":1}`},
		"another default":      {`{}`, `{"a":{"default":1}}`, `{"a":{"default":2}}`, ``},
		"one_of narrowed":      {`{"a":"x"}`, `{"a":{"one_of":["x","y"]}}`, `{"a":{"one_of":["y","z"]}}`, ``},
		"one_of in both":       {`{"a":"y"}`, `{"a":{"one_of":["x","y"]}}`, `{"a":{"one_of":["y","z"]}}`, `{"a":"y"}`},
		"one_of in none":       {`{}`, `{"a":{"one_of":["x"]}}`, `{"a":{"one_of":["y"]}}`, ``},
		"subset_of narrowed":   {`{"a":["x","y","z"]}`, `{"a":{"subset_of":["x","y"]}}`, `{"a":{"subset_of":["y","z"]}}`, `{"a":["y"]}`},
		"subset_of none left":  {`{"a":["x"]}`, `{"a":{"subset_of":["x"]}}`, `{"a":{"subset_of":["y"]}}`, `{"a":[]}`},
		"superset_of widened":  {`{"a":["x"]}`, `{"a":{"superset_of":["x"]}}`, `{"a":{"superset_of":["y"]}}`, ``},
		"superset_of has both": {`{"a":["x","y"]}`, `{"a":{"superset_of":["x"]}}`, `{"a":{"superset_of":["y"]}}`, `{"a":["x","y"]}`},
		"essential stays":      {`{}`, `{"a":{"essential":true}}`, `{"a":{"essential":false}}`, ``},
		"essential below":      {`{}`, `{"a":{"essential":false}}`, `{"a":{"essential":true}}`, ``},
		"together wrong":       {`{}`, `{"a":{"subset_of":["x"]}}`, `{"a":{"add":["y"]}}`, ``},
		"about others":         {`{}`, `{"a":{"default":1}}`, `{"b":{"default":2}}`, `{"a":1,"b":2}`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := resolved(t, tt.metadata, tt.upper, tt.below)
			if tt.want == "" {
				refused(t, err, "metadata_policy")
				return
			}
			require.NoError(t, err)
			assert.JSONEq(t, tt.want, got)
		})
	}
}

// The example that the specification prints (§6.1.5), in its figures.
func TestPrintedExample(t *testing.T) {
	text, err := os.ReadFile("testdata/policy.json")
	require.NoError(t, err)
	var example struct{ Metadata, Upper, Below, Given, Want json.RawMessage }
	require.NoError(t, json.Unmarshal(text, &example))
	chain := &Chain{metadata: metadata{}}
	require.NoError(t, json.Unmarshal(example.Metadata, &chain.metadata))
	below := linked(t, `{"metadata":`+string(example.Given)+`,"metadata_policy":`+string(example.Below)+`}`)
	chain.overrule(below)
	require.NoError(t, chain.applyPolicies([]*statement{below, linked(t, `{"metadata_policy":`+string(example.Upper)+`}`)}))
	got, err := json.Marshal(chain.metadata)
	require.NoError(t, err)
	assert.JSONEq(t, string(example.Want), string(got))
}

func TestCriticalOperatorsAreRefused(t *testing.T) {
	c := &Chain{metadata: metadata{}}
	require.NoError(t, c.applyPolicies([]*statement{linked(t, `{}`)}))
	refused(t, c.applyPolicies([]*statement{linked(t, `{"metadata_policy_crit":["regexp"]}`)}), "metadata_policy_crit")
}

// A superior speaks of what the subject is, and makes it nothing more.
func TestSuperiorsOverrule(t *testing.T) {
	w := newWorld(t)
	w.link(anchor, provider, members{"metadata": members{
		"openid_provider": members{"token_endpoint": provider + "/other", "userinfo_endpoint": provider + "/userinfo"},
		"oauth_client":    members{"client_name": "made up"},
	}})
	chain, err := w.resolver(t).Resolve(t.Context(), provider)
	require.NoError(t, err)
	var found map[string]any
	is, err := chain.Metadata("openid_provider", &found)
	require.NoError(t, err)
	assert.True(t, is)
	assert.Equal(t, provider+"/other", found["token_endpoint"])
	assert.Equal(t, provider+"/userinfo", found["userinfo_endpoint"])
	assert.Equal(t, provider+"/authorize", found["authorization_endpoint"])
	is, err = chain.Metadata("oauth_client", &found)
	require.NoError(t, err)
	assert.False(t, is)
}
