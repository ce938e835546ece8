package main

import (
	"crypto"
	"encoding/binary"
	"strings"
	"time"
)

// metaText is what a login's cookie holds beside the login.
func metaText(change ...any) string {
	return toJSON(with(object{"v": 1, "client": "op", "return_to": "/account", "begun_at": time.Unix(now, 0).UTC().Format(time.RFC3339)}, change...))
}

// loginValue is the value of a login's cookie: the second part is bound to the
// name and to the first.
func loginValue(key, name, login, meta string) string {
	first := sealed(key, "pending", login, "")
	return first + "~" + sealed(key, "weblogin login", meta, name+"~"+first)
}

func loginCookieCases(k keyring, c *collection) {
	name, strange := cookieName(state), cookieName("state-of-another-login")
	good := loginValue(sealingKey, name, loginText(), metaText())
	another := loginValue(sealingKey, strange, loginText("state", "state-of-another-login"), metaText("return_to", "/other"))
	first, second, _ := strings.Cut(good, "~")
	anotherFirst, anotherSecond, _ := strings.Cut(another, "~")
	at := func(name, expect, about, header string) entry {
		return entry{name: "login " + name, expect: expect, about: about, fields: []string{"at: callback"}, input: header}
	}
	with := func(title, about, value string) entry { return at(title, "state", about, name+"="+value) }
	plain := encode([]byte(loginText())) + "~" + encode([]byte(metaText()))
	c.addAll("cookie", "T38",
		at("good", "ok", "the cookie of this login", name+"="+good),
		at("good among others", "ok", "other cookies beside it", "a=b; "+strange+"="+another+"; "+name+"="+good),
		at("none", "state", "no cookie", "a=b"),
		with("empty", "an empty value", ""),
		with("tampered login", "a character of the first part", first[:60]+other(first[60])+first[61:]+"~"+second),
		with("tampered rest", "a character of the second part", first+"~"+second[:60]+other(second[60])+second[61:]),
		with("without rest", "only the first part", first),
		with("without separator", "the parts without what is between them", first+second),
		with("empty rest", "an empty second part", first+"~"),
		with("parts changed about", "the second part first", second+"~"+first),
		with("three parts", "the second part twice", good+"~"+second),
		with("swapped login", "the first part of another login", anotherFirst+"~"+second),
		with("swapped rest", "the second part of another login", first+"~"+anotherSecond),
		with("swapped whole", "another login's value under this name", another),
		at("under another name", "state", "the value under another login's name", strange+"="+good),
		at("without prefix", "state", "without __Host-", strings.TrimPrefix(name, "__Host-")+"="+good),
		at("in lower case", "state", "the name in lower case", strings.ToLower(name)+"="+good),
		at("name with tail", "state", "one character behind the name", name+"0="+good),
		at("twice", "state", "the name twice, one of them not ours", name+"="+good+"; "+name+"=x"),
		at("same twice", "state", "the same cookie twice", name+"="+good+"; "+name+"="+good),
		at("1000 chunks", "state", "a thousand cookies that look like parts", strings.Repeat(name+".1=v1.AAAA; ", 999)+name+".1=v1.AAAA"),
		at("1000 cookies", "ok", "a thousand other cookies in front", strings.Repeat("a=b;", 1000)+name+"="+good),
		with("another key", "sealed with somebody else's key", loginValue(strangeKey, name, loginText(), metaText())),
		with("plain json", "the login unsealed, in base64url", plain),
		with("unbound", "a second part bound to nothing", first+"~"+sealed(sealingKey, "weblogin login", metaText(), "")),
		with("version inside", "a second part of another version", loginValue(sealingKey, name, loginText(), metaText("v", 2))),
		with("unknown member inside", "a member that is not known", loginValue(sealingKey, name, loginText(), metaText("admin", true))),
		with("of another state", "another login sealed for this name", loginValue(sealingKey, name, loginText("state", "state-of-another-login"), metaText())),
		at("of another client", "client", "a login begun with another client", name+"="+loginValue(sealingKey, name, loginText(), metaText("client", "other"))),
		at("over", "expired", "a login whose time is over", name+"="+loginValue(sealingKey, name, loginText("exp", time.Unix(now, 0).UTC().Format(time.RFC3339)), metaText())),
	)
	c.addAll("cookie", "T28",
		with("a session id", "a session cookie's value", sessionID),
		with("a stored session", "a stored session", recordValue(sealingKey, sessionID, sessionText(k), sessionMeta(sessionID))),
		with("session as login", "a sealed session as the first part", sealed(sealingKey, "session", beside("", sessionText(k)), "")+"~"+second),
		with("jwt", "a signed token", idTokenFamily().sign(k, token{})),
	)
}

// sessionID is the value of the session's cookie, anotherID somebody else's.
var sessionID, anotherID = encode(digest(crypto.SHA256, "session")), encode(digest(crypto.SHA256, "another session"))

func sessionCookieCases(k keyring, c *collection) {
	const name = "__Host-rely-session="
	at := func(title, expect, about, header string) entry {
		return entry{name: title, expect: expect, about: about, fields: []string{"at: session"}, input: header}
	}
	none := func(title, about, header string) entry { return at(title, "login_required", about, header) }
	record := recordValue(sealingKey, sessionID, sessionText(k), sessionMeta(sessionID))
	c.addAll("cookie", "T38",
		at("good session", "ok", "the cookie of this session", name+sessionID),
		at("session among others", "ok", "a thousand other cookies in front", strings.Repeat("a=b;", 1000)+name+sessionID),
		none("session none", "no cookie", "a=b"),
		none("session empty", "an empty value", name),
		none("session unknown", "an id that was never given", name+anotherID),
		none("session tampered", "another character", name+other(sessionID[0])+sessionID[1:]),
		none("session shorter", "a character less", name+sessionID[:42]),
		none("session longer", "a character more", name+sessionID+"A"),
		none("session in lower case", "another case", name+strings.ToLower(sessionID)),
		none("session other last bits", "bits that stand for no byte", name+sessionID[:42]+nextOf(sessionID[42])),
		none("session twice", "the name twice, one of them not ours", name+sessionID+"; "+name+anotherID),
		none("session same twice", "the same cookie twice", name+sessionID+"; "+name+sessionID),
		none("session without prefix", "without __Host-", "rely-session="+sessionID),
		none("session name in lower case", "the name in lower case", strings.ToLower(name)+sessionID),
		none("session 1000 chunks", "a thousand parts of a session", strings.Repeat("__Host-rely-session.1=AAAA; ", 999)+"__Host-rely-session.1=AAAA"),
		none("session plain json", "a session as text", name+encode([]byte(`{"client":"op","sub":"x"}`))),
		none("session key", "the key under which the store has it", name+recordKey(sessionID)),
	)
	c.addAll("cookie", "T28",
		none("login as session", "a login cookie's value", name+loginValue(sealingKey, cookieName(state), loginText(), metaText())),
		none("pending as session", "a sealed login", name+pendingText(loginText())),
		none("record as session", "what the store has", name+record),
		none("state as session", "the state of a login", name+encode(digest(crypto.SHA256, state))),
	)
}

// nextOf returns a character that differs from b, one of base64url's, in its last bit.
func nextOf(b byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return string(alphabet[strings.IndexByte(alphabet, b)^1])
}

// recordKey is how a store knows the session of a cookie.
func recordKey(id string) string { return encode(digest(crypto.SHA256, `["session","`+id+`"]`)) }

// sessionMeta is what is sealed beside the session, with changes by name.
func sessionMeta(id string, change ...any) string {
	o := with(object{
		"v": 2, "key": recordKey(id), "client": "op", "started_at": now, "ends_at": now + 3600, "expires_at": now + 1800,
		"refreshes": 0, "checks": "", "marks": []string{}, "behind": "",
	}, change...)
	return packed(o["v"], o["key"], o["client"], nanoseconds(o["started_at"]), nanoseconds(o["ends_at"]), nanoseconds(o["expires_at"]), o["refreshes"], o["checks"], o["marks"]) + o["behind"].(string)
}

// nanoseconds is a time in seconds as one in nanoseconds.
func nanoseconds(seconds any) int64 {
	switch s := seconds.(type) {
	case int64:
		return s * 1_000_000_000
	case int:
		return int64(s) * 1_000_000_000
	}
	return 0
}

// packed writes values one behind the other: texts and lists with their lengths,
// numbers in a form that has fewer bytes for small ones.
func packed(values ...any) string {
	var out []byte
	for _, value := range values {
		switch v := value.(type) {
		case string:
			out = append(binary.AppendUvarint(out, uint64(len(v))), v...)
		case []string:
			out = binary.AppendUvarint(out, uint64(len(v)))
			for _, s := range v {
				out = append(binary.AppendUvarint(out, uint64(len(s))), s...)
			}
		case int:
			out = binary.AppendVarint(out, int64(v))
		case int64:
			out = binary.AppendVarint(out, v)
		}
	}
	return string(out)
}

// beside frames two texts: the length of the first, then both.
func beside(meta, session string) string {
	return string(binary.AppendUvarint(nil, uint64(len(meta)))) + meta + session
}

func recordValue(key, id, session, meta string) string {
	return sealed(key, "session", beside(meta, session), recordKey(id))
}

func recordCases(k keyring, c *collection) {
	good := recordValue(sealingKey, sessionID, sessionText(k), sessionMeta(sessionID))
	another := recordValue(sealingKey, anotherID, sessionText(k, "sub", "subject-000002"), sessionMeta(anotherID))
	at := func(name, expect, about, data string) entry {
		return entry{name: "record " + name, expect: expect, about: about, fields: []string{"at: record"}, input: data}
	}
	none := func(name, about, data string) entry { return at(name, "login_required", about, data) }
	meta := func(change ...any) string {
		return recordValue(sealingKey, sessionID, sessionText(k), sessionMeta(sessionID, change...))
	}
	framed := func(plain string) string { return sealed(sealingKey, "session", plain, recordKey(sessionID)) }
	c.addAll("cookie", "T38",
		at("good", "ok", "the record of this session", good),
		none("of another", "somebody else's record", another),
		none("of another key inside", "somebody else's key inside", meta("key", recordKey(anotherID))),
		none("tampered", "a character in the middle", good[:60]+other(good[60])+good[61:]),
		none("truncated", "half of it", good[:len(good)/2]),
		none("empty", "nothing", ""),
		none("plain json", "a record unsealed", encode([]byte(beside(sessionMeta(sessionID), sessionText(k))))),
		none("of another key", "sealed with somebody else's key", recordValue(strangeKey, sessionID, sessionText(k), sessionMeta(sessionID))),
		none("over", "a session that has ended", meta("ends_at", now)),
		none("of another version", "a later version", meta("v", 3)),
		none("of no client", "a client that is not there any more", meta("client", "gone")),
		none("with something behind", "a field that is not known", meta("behind", "\x00")),
		none("without identity", "a session that holds nobody", recordValue(sealingKey, sessionID, sessionText(k, "id_token", ""), sessionMeta(sessionID))),
		none("without rest", "a session and nothing beside it", framed("\x00"+sessionText(k))),
		none("of a longer rest", "a length beyond the end", framed("\xff\xff\xff\xff\x7f"+sessionText(k))),
		none("of no length", "a length that does not end", framed("\xff\xff")),
		none("ended", "the mark of a session that lived in cookies", "ended"),
	)
	c.addAll("cookie", "T28",
		none("of a login", "a login cookie's value", loginValue(sealingKey, cookieName(state), loginText(), metaText())),
		none("of a cookie", "a session sealed for its cookie", sealed(sealingKey, "session", beside(sessionMeta(sessionID), sessionText(k)), "__Host-rely-session")),
	)
}

// inCookieCases are the cookies of a session that lives in them.
func inCookieCases(k keyring, c *collection) {
	const name = "__Host-rely-session"
	value := func(key, place string, change ...any) string {
		return sealed(key, "session", beside(sessionMeta(sessionID, change...), sessionText(k)), place)
	}
	at := func(title, expect, about, header string) entry {
		return entry{name: "in cookie " + title, expect: expect, about: about, fields: []string{"at: cookies"}, input: header}
	}
	none := func(title, about, header string) entry { return at(title, "login_required", about, header) }
	good := value(sealingKey, name)
	half := len(good) / 2
	c.addAll("cookie", "T38",
		at("good", "ok", "a session in one cookie", name+"=1."+good),
		at("good in two", "ok", "a session in two cookies", name+"=2."+good[:half]+"; "+name+"-1="+good[half:]),
		at("good in two the other way", "ok", "the second one first", name+"-1="+good[half:]+"; "+name+"=2."+good[:half]),
		at("good and a leftover", "ok", "a part that is not counted", name+"=1."+good+"; "+name+"-1=AAAA"),
		none("tampered", "a character in the middle", name+"=1."+good[:60]+other(good[60])+good[61:]),
		none("without count", "without the number of parts", name+"="+good),
		none("of no part", "no parts", name+"=0."+good),
		none("of five parts", "more parts than there may be", name+"=5."+good),
		none("of half", "the first of two parts", name+"=2."+good[:half]),
		none("as one of half", "the first of two parts, said to be all", name+"=1."+good[:half]),
		none("with a part twice", "the second part twice", name+"=2."+good[:half]+"; "+name+"-1="+good[half:]+"; "+name+"-1="+good[half:]),
		none("with parts changed about", "the second part as the first", name+"=2."+good[half:]+"; "+name+"-1="+good[:half]),
		none("twice", "the name twice", name+"=1."+good+"; "+name+"=1."+good),
		none("of another key", "sealed with somebody else's key", name+"=1."+value(strangeKey, name)),
		none("of another name", "sealed for another application's cookie", name+"=1."+value(sealingKey, "__Host-other-session")),
		none("unbound", "sealed for no cookie", name+"=1."+value(sealingKey, "")),
		none("idle", "not used for too long", name+"=1."+value(sealingKey, name, "expires_at", now)),
		none("over", "a session that has ended", name+"=1."+value(sealingKey, name, "ends_at", now)),
		none("of another version", "a later version", name+"=1."+value(sealingKey, name, "v", 3)),
		none("of no client", "a client that is not there any more", name+"=1."+value(sealingKey, name, "client", "gone")),
		none("id", "the cookie of a session in a store", name+"="+sessionID),
	)
	c.addAll("cookie", "T28",
		none("record", "a session sealed for its record", name+"=1."+recordValue(sealingKey, sessionID, sessionText(k), sessionMeta(sessionID))),
		none("login", "a sealed login", name+"=1."+pendingText(loginText())),
	)
}
