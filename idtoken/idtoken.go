package idtoken

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/rely-go/rely/internal/strictjson"
)

// An IDToken was believed: it comes only from [Verifier.Verify], or from
// [Restore] with a token that came from there before. It is immutable. All
// methods may be called on nil, which is nobody's token. It prints as
// [redacted].
type IDToken struct {
	raw         string
	claims      strictjson.Object
	stringDates bool
	made        checkSet
}

// Restore reads a token that this program verified before and has kept where
// nobody could change it, such as a sealed session. It makes no check but those
// of shape. Never give it a token that came from outside.
func Restore(raw string) (*IDToken, error) {
	t, refusal := parse(raw)
	if refusal != nil {
		return nil, refusal
	}
	if refusal := t.readClaims(); refusal != nil {
		return nil, refusal
	}
	return &IDToken{raw: raw, claims: t.claims, stringDates: true}, nil
}

func (t *IDToken) text(name string) string {
	if t == nil {
		return ""
	}
	// Believed tokens have valid claims.
	value, _, _ := t.claims.String(name)
	return value
}

func (t *IDToken) list(name string) []string {
	if t == nil {
		return nil
	}
	list, _, _ := t.claims.Strings(name)
	return list
}

func (t *IDToken) time(name string) (time.Time, bool) {
	if t == nil {
		return time.Time{}, false
	}
	seconds, ok, _ := date(t.claims, name, t.stringDates)
	if !ok {
		return time.Time{}, false
	}
	return time.Unix(seconds, 0).UTC(), true
}

// Issuer returns iss.
func (t *IDToken) Issuer() string { return t.text("iss") }

// Subject returns sub, the person's identifier at the issuer.
func (t *IDToken) Subject() string { return t.text("sub") }

// Audience returns aud, also where it was a single string.
func (t *IDToken) Audience() []string { return t.list("aud") }

// AuthorizedParty returns azp, or "".
func (t *IDToken) AuthorizedParty() string { return t.text("azp") }

// Expiry returns exp. It is the end of the token, not of a session.
func (t *IDToken) Expiry() time.Time {
	expiry, _ := t.time("exp")
	return expiry
}

// IssuedAt returns iat.
func (t *IDToken) IssuedAt() time.Time {
	issuedAt, _ := t.time("iat")
	return issuedAt
}

// AuthTime returns auth_time, and whether there is one.
func (t *IDToken) AuthTime() (time.Time, bool) { return t.time("auth_time") }

// Nonce returns nonce, or "".
func (t *IDToken) Nonce() string { return t.text("nonce") }

// ACR returns acr, or "".
func (t *IDToken) ACR() string { return t.text("acr") }

// AMR returns amr, also where it was a single string.
func (t *IDToken) AMR() []string { return t.list("amr") }

// SessionID returns sid, or "".
func (t *IDToken) SessionID() string { return t.text("sid") }

// JWTID returns jti, or "".
func (t *IDToken) JWTID() string { return t.text("jti") }

// Raw returns the token as it came, for id_token_hint.
func (t *IDToken) Raw() string {
	if t == nil {
		return ""
	}
	return t.raw
}

// Checks returns what became of each check. It is empty for a restored token.
func (t *IDToken) Checks() []Outcome {
	if t == nil || t.made == 0 {
		return nil
	}
	outcomes := make([]Outcome, 0, CheckEvent)
	for c := CheckSize; c <= CheckEvent; c++ {
		outcomes = append(outcomes, Outcome{c, t.made.has(c)})
	}
	return outcomes
}

// Claims decodes all claims into v, by exact member names. A number in an any
// becomes a [json.Number] with all its digits.
func (t *IDToken) Claims(v any) error {
	if t == nil {
		return errors.New("idtoken: there is no token")
	}
	return t.claims.Decode(v)
}

const redacted = "[redacted]"

// String shows nothing of the token.
func (t *IDToken) String() string { return "idtoken.IDToken{" + redacted + "}" }

// Format keeps secrets out of every verb of package fmt.
func (t *IDToken) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, t.String()) }

// LogValue shows nothing of the token.
func (t *IDToken) LogValue() slog.Value { return slog.StringValue(t.String()) }

// MarshalJSON shows nothing of the token.
func (t *IDToken) MarshalJSON() ([]byte, error) { return json.Marshal(redacted) }
