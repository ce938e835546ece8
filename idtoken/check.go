package idtoken

import (
	"context"
	"errors"
	"fmt"
)

// A Check is one of the questions that are asked of a token.
type Check uint8

// The checks, in the order in which they are made.
const (
	_                    Check = iota
	CheckSize                  // not longer than 64 KiB
	CheckShape                 // three parts of canonical base64url; header and claims strict JSON objects (RFC 7515 §7.1, RFC 7493)
	CheckHeader                // alg is agreed, no crit, typ is not another kind of token's (RFC 7515 §4.1.11, RFC 8725 §3)
	CheckKey                   // a key of the issuer fits (RFC 7517 §4, RFC 7518 §3)
	CheckSignature             // the signature holds
	CheckIssuer                // iss is the configured issuer (Core §3.1.3.7 no. 2)
	CheckAudience              // aud is this client and nobody untrusted (no. 3)
	CheckAuthorizedParty       // azp, where it is there, is this client (no. 5)
	CheckExpiry                // exp has not passed (no. 9)
	CheckNotBefore             // nbf, where it is there, has come (RFC 7519 §4.1.5)
	CheckIssuedAt              // iat is there and not in the future (no. 10)
	CheckSubject               // sub is there, at most 255 bytes long, and the expected one (Core §2, §5.3.2)
	CheckNonce                 // nonce is the one that was sent (no. 11)
	CheckAccessTokenHash       // at_hash, where it is there, is the access token's (Core §3.1.3.8)
	CheckCodeHash              // c_hash, where it is there, is the code's (Core §3.3.2.10)
	CheckStateHash             // s_hash, where it is there, is the state's (FAPI 1 Advanced §5.1)
	CheckAuthTime              // auth_time is not longer ago than max_age (no. 13)
	CheckACR                   // acr is at least the one demanded (no. 12)
	CheckExtra                 // what the profile demands beyond: members, lifetime
	CheckRefresh               // a refreshed token is about the original login (Core §12.2)
	CheckEvent                 // a logout token is one, and an ID token is none (Back-Channel Logout §2.4)
	checksEnd
)

// String returns the check's name: the claim's where it is about one.
func (c Check) String() string {
	switch c {
	case CheckSize:
		return "size"
	case CheckShape:
		return "shape"
	case CheckHeader:
		return "header"
	case CheckKey:
		return "key"
	case CheckSignature:
		return "signature"
	case CheckIssuer:
		return "iss"
	case CheckAudience:
		return "aud"
	case CheckAuthorizedParty:
		return "azp"
	case CheckExpiry:
		return "exp"
	case CheckNotBefore:
		return "nbf"
	case CheckIssuedAt:
		return "iat"
	case CheckSubject:
		return "sub"
	case CheckNonce:
		return "nonce"
	case CheckAccessTokenHash:
		return "at_hash"
	case CheckCodeHash:
		return "c_hash"
	case CheckStateHash:
		return "s_hash"
	case CheckAuthTime:
		return "auth_time"
	case CheckACR:
		return "acr"
	case CheckExtra:
		return "profile"
	case CheckRefresh:
		return "refresh"
	case CheckEvent:
		return "event"
	}
	return fmt.Sprintf("check %d", uint8(c))
}

// Checks returns all checks in the order in which they are made.
func Checks() []Check {
	all := make([]Check, 0, checksEnd-1)
	for c := CheckSize; c < checksEnd; c++ {
		all = append(all, c)
	}
	return all
}

// An Outcome says what became of one check of a token that is believed.
type Outcome struct {
	// Check is the check.
	Check Check
	// Made is false where there was nothing to check: no nonce was sent, no
	// at_hash was there.
	Made bool
}

// checkSet has a bit for each check that was made.
type checkSet uint32

func (s *checkSet) add(c Check)     { *s |= 1 << c }
func (s checkSet) has(c Check) bool { return s&(1<<c) != 0 }

// String returns the check's name, and whether there was nothing to check.
func (o Outcome) String() string {
	if !o.Made {
		return o.Check.String() + " (nothing to check)"
	}
	return o.Check.String()
}

// An Error says which check refused a token. Its text holds nothing of the
// token.
type Error struct {
	// Check is the one that failed; those before it passed.
	Check Check
	// Reason says what was wrong.
	Reason string
	// Unavailable says that nothing was found wrong: the keys, or what is known of their
	// certificates, could not be had to decide.
	Unavailable bool
	// Err is the cause, where there is one.
	Err error
}

func (e *Error) Error() string { return "idtoken: " + e.Check.String() + ": " + e.Reason }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Retryable reports whether the same token may be believed later.
func (e *Error) Retryable() bool { return e.Unavailable }

func refused(check Check, reason string) *Error { return &Error{Check: check, Reason: reason} }

// unavailable is the error when keys could not be had.
func unavailable(err error) *Error {
	reason := "keys of the issuer could not be had"
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		reason = "waiting for the issuer's keys was ended"
	}
	return &Error{Check: CheckKey, Reason: reason, Unavailable: true, Err: err}
}
