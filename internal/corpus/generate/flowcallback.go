package main

import (
	"net/url"
	"strconv"
	"strings"
)

const goodCallback = "code=" + code + "&state=" + state

func callbackCases(_ keyring, c *collection) {
	ours := url.QueryEscape(issuer)
	refused := func(name, expect, about, input string, fields ...string) entry {
		return entry{name: name, expect: expect, about: about, input: input, fields: fields}
	}
	c.addAll("callback", "T30",
		entry{name: "good", about: "a code for the login of this browser", input: goodCallback},
		entry{name: "further parameters", about: "parameters that nobody knows", input: goodCallback + "&session_state=x&scope=openid"},
		entry{name: "posted", about: "a form, as was asked for", fields: []string{"method: POST", "response-mode: form_post"}, input: goodCallback},
		refused("state missing", "state", "no state", "code="+code),
		refused("state empty", "state", "an empty state", "code="+code+"&state="),
		refused("state of another", "state", "the state of another login", "code="+code+"&state=state-of-another-login"),
		refused("state longer", "state", "one character more", goodCallback+"1"),
		refused("state shorter", "state", "one character less", strings.TrimSuffix(goodCallback, "n")),
		refused("state in upper case", "state", "another case", "code="+code+"&state="+strings.ToUpper(state)),
		refused("state with blank", "state", "a blank behind it", goodCallback+"+"),
		refused("state with nul", "state", "a NUL behind it", goodCallback+"%00"),
		refused("state null", "state", "the text null", "code="+code+"&state=null"),
		refused("state by another name", "state", "State is not state", "code="+code+"&State="+state),
		refused("state as array", "state", "state[] is not state", "code="+code+"&state[]="+state),
		refused("no parameter", "state", "nothing at all", ""),
		refused("late", "expired", "the login was begun too long ago", goodCallback, "now: "+strconv.Itoa(now+600)),
		entry{name: "just in time", about: "a second before the login ends", fields: []string{"now: " + strconv.Itoa(now+599)}, input: goodCallback},
	)
	c.addAll("callback", "T31", refused("used twice", "replay", "the same answer again", goodCallback, "times: 2"))
	c.addAll("callback", "T33",
		entry{name: "iss", about: "iss as announced", fields: []string{"advertised: yes"}, input: goodCallback + "&iss=" + ours},
		entry{name: "iss not announced", about: "a good iss that was not announced", input: goodCallback + "&iss=" + ours},
		refused("iss missing", "iss", "no iss though announced", goodCallback, "advertised: yes"),
		refused("iss swapped", "iss", "another provider's iss", goodCallback+"&iss=https%3A%2F%2Fevil.example", "advertised: yes"),
		refused("iss swapped not announced", "iss", "another provider's iss where none is announced", goodCallback+"&iss=https%3A%2F%2Fevil.example"),
		refused("iss with slash", "iss", "a slash behind the issuer", goodCallback+"&iss="+ours+"%2F", "advertised: yes"),
		refused("iss empty", "iss", "an empty iss", goodCallback+"&iss=", "advertised: yes"),
		refused("iss in upper case", "iss", "another case of the host", goodCallback+"&iss=https%3A%2F%2FOP.example", "advertised: yes"),
		refused("iss prefix", "iss", "the issuer is only the beginning", goodCallback+"&iss="+ours+".evil.example", "advertised: yes"),
		refused("iss twice", "parameters", "the good iss and another", goodCallback+"&iss="+ours+"&iss=https%3A%2F%2Fevil.example", "advertised: yes"),
		refused("iss missing at an error", "iss", "an error without iss though announced", "error=access_denied&state="+state, "advertised: yes"),
	)
	c.addAll("callback", "T36",
		refused("code and error", "parameters", "both a code and an error", goodCallback+"&error=access_denied"),
		refused("code and empty error", "parameters", "a code and an error without value", goodCallback+"&error="),
		refused("code twice", "parameters", "two codes", goodCallback+"&code=other"),
		refused("same code twice", "parameters", "the same code twice", goodCallback+"&code="+code),
		refused("state twice", "parameters", "two states, the good one first", goodCallback+"&state=x"),
		refused("same state twice", "parameters", "the same state twice", goodCallback+"&state="+state),
		refused("unknown twice", "parameters", "a parameter nobody knows, twice", goodCallback+"&x=1&x=2"),
		refused("twice by an escape", "parameters", "the same name, once escaped", goodCallback+"&%63ode=other"),
		refused("code missing", "code", "a state and nothing else", "state="+state),
		refused("code empty", "code", "an empty code", "code=&state="+state),
		refused("error empty", "code", "an error without value", "error=&state="+state),
		refused("access token", "parameters", "a token that was not asked for", goodCallback+"&access_token=x"),
		refused("id token", "parameters", "an ID token that was not asked for", goodCallback+"&id_token=x"),
		refused("query for a form", "response_mode", "a query though a form was asked for", goodCallback, "response-mode: form_post"),
		refused("form for a query", "response_mode", "a form though a query was asked for", goodCallback, "method: POST"),
		refused("form for an explicit query", "response_mode", "a form though query was asked for by name", goodCallback, "method: POST", "response-mode: query"),
		refused("semicolon", "query", "semicolons between parameters", strings.ReplaceAll(goodCallback, "&", ";")),
		refused("half an escape", "query", "a percent sign at the end", goodCallback+"&x=%"),
		refused("escape of no digits", "query", "an escape that is none", goodCallback+"&x=%zz"),
		refused("half an escape in a form", "query", "a percent sign at the end of a form", goodCallback+"&x=%", "method: POST", "response-mode: form_post"),
	)
	c.addAll("callback", "T53",
		refused("oversized", "parameters", "a parameter of 32 KiB", goodCallback+"&x="+strings.Repeat("aaaa", 8<<10)),
		refused("oversized code", "parameters", "a code of 32 KiB", "state="+state+"&code="+strings.Repeat("bbbb", 8<<10)),
		refused("oversized form", "parameters", "a form of 32 KiB", goodCallback+"&x="+strings.Repeat("aaaa", 8<<10), "method: POST", "response-mode: form_post"),
	)
}

// callbackErrorCases are about what a provider, or who plays it, says.
func callbackErrorCases(_ keyring, c *collection) {
	said := func(name, about, code, input string) entry {
		return entry{name: name, expect: "error", about: about, fields: []string{"code: " + code}, input: input + "&state=" + state}
	}
	const unprintable = "unprintable_error"
	c.addAll("callback", "T35",
		said("denied", "the person said no", "access_denied", "error=access_denied"),
		said("description with html", "a script in the description", "access_denied", "error=access_denied&error_description="+url.QueryEscape("<script>alert(1)</script>")),
		said("uri with script", "error_uri is a script", "access_denied", "error=access_denied&error_uri="+url.QueryEscape("javascript:alert(1)")),
		said("description with crlf", "a header in the description", "access_denied", "error=access_denied&error_description="+url.QueryEscape("x\r\nSet-Cookie: a=b")),
		said("description of 30 kb", "a long description", "access_denied", "error=access_denied&error_description="+strings.Repeat("aaaa", 7500)),
		said("html", "a script as the error", unprintable, "error="+url.QueryEscape("<script>alert(1)</script>")),
		said("crlf", "a header in the error", unprintable, "error="+url.QueryEscape("x\r\nSet-Cookie: a=b")),
		said("nul", "a NUL in the error", unprintable, "error=access_denied%00"),
		said("unicode", "a text that runs from right to left", unprintable, "error="+url.QueryEscape("\u202edeined_ssecca")),
		said("invalid utf-8", "a byte that is no UTF-8", unprintable, "error=%ff"),
		said("long", "an error of 65 characters", unprintable, "error="+strings.Repeat("a", 65)),
		said("upper case", "an error in another case", unprintable, "error=Access_Denied"),
		said("temporarily", "a provider that can't now", "temporarily_unavailable", "error=temporarily_unavailable"),
		said("server error", "a provider with a fault", "server_error", "error=server_error"),
		entry{name: "error of a megabyte", expect: "parameters", about: "an error of one megabyte", input: "state=" + state + "&error=" + strings.Repeat("aaaa", 250_000)},
		entry{name: "description of a megabyte", expect: "parameters", about: "a description of one megabyte", input: "error=access_denied&state=" + state + "&error_description=" + strings.Repeat("bbbb", 250_000)},
		entry{name: "error with another state", expect: "state", about: "an error for another login", input: "error=access_denied&state=x"},
		entry{name: "error of another issuer", expect: "iss", about: "another provider's error", input: "error=access_denied&state=" + state + "&iss=https%3A%2F%2Fevil.example"},
		entry{name: "errors twice", expect: "parameters", about: "two errors", input: "error=access_denied&error=x&state=" + state},
	)
}
