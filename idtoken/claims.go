package idtoken

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/rely-go/rely/internal/strictjson"
)

// text returns a claim that must be a string where it is there.
func (t *token) text(name string) (value string, ok, valid bool) {
	value, ok, err := t.claims.String(name)
	return value, ok, err == nil
}

// date returns a NumericDate (RFC 7519 §2) in whole seconds, rounded down. A
// number with digits only is never turned into a float.
func date(claims strictjson.Object, name string, allowString bool) (seconds int64, ok, valid bool) {
	raw, ok := claims.Raw(name)
	if !ok {
		return 0, false, true
	}
	literal := raw
	if allowString && raw[0] == '"' {
		digits := strings.Trim(literal, `"`)
		if len(digits) < 1 || len(digits) > 12 || strings.Trim(digits, "0123456789") != "" {
			return 0, false, false
		}
		literal = digits
	}
	whole, fraction, _ := strings.Cut(literal, ".")
	if strings.Trim(whole+fraction, "0123456789") != "" {
		return exponent(literal)
	}
	seconds, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || seconds > maxDate {
		return 0, false, false
	}
	return seconds, true, true
}

// maxDate is in the year 9999: what time.Time and everybody else can tell.
const maxDate = 253402300799

// exponent reads a number like 1.7e9, which JSON allows. Anything that is no
// number that way is refused too.
func exponent(literal string) (seconds int64, ok, valid bool) {
	f, err := strconv.ParseFloat(literal, 64)
	if err != nil || f < 0 || f > maxDate || strings.Trim(literal, "0123456789.eE+-") != "" {
		return 0, false, false
	}
	return int64(math.Floor(f)), true, true
}

// before reports whether now is before a time that may be off by the skew.
func (v *Verifier) before(t *token, seconds int64) bool {
	return t.now.Add(v.skew).Before(time.Unix(seconds, 0))
}

// after reports whether now is at or after a time that may be off by the skew.
func (v *Verifier) after(t *token, seconds int64) bool {
	return !t.now.Add(-v.skew).Before(time.Unix(seconds, 0))
}
