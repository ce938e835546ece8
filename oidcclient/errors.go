package oidcclient

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/rely-go/rely/idtoken"
)

// Step names the step of a login in which an error arose.
type Step string

// The steps, in the order in which a login takes them.
const (
	StepDiscover Step = "discovery"      // finding the provider's metadata
	StepBegin    Step = "begin"          // making the authorization request
	StepPush     Step = "pushed request" // sending it to the provider first (RFC 9126)
	StepCallback Step = "callback"       // judging the authorization response
	StepExchange Step = "code exchange"  // the token request with the code
	StepIdentity Step = "identity"       // believing the ID token
	StepUserInfo Step = "userinfo"       // the userinfo request and its answer
	StepRefresh  Step = "refresh"        // the token request with the refresh token
	StepLogout   Step = "logout"         // ending the session at the provider
	StepGrant    Step = "token request"  // a token request for another grant
	StepRegister Step = "registration"   // registering a client (RFC 7591, RFC 7592)
)

// Fault says on whose side an error lies, which decides what to answer to a
// browser.
type Fault uint8

const (
	// FaultAnswer: what was brought here is refused, or the provider refused
	// what it was brought: a wrong state, an expired code, a token that is not
	// believed, a person who said no. An HTTP handler answers 4xx.
	FaultAnswer Fault = iota
	// FaultProvider: the provider answered something that is not a valid
	// answer, or refused this client. An HTTP handler answers 502.
	FaultProvider
	// FaultOutage: the provider could not be reached or said that it cannot
	// serve now; the same call may succeed later. An HTTP handler answers 503.
	FaultOutage
	// FaultCanceled: the caller's context ended.
	FaultCanceled
)

// An Error is what every method of [Client] returns when it fails. Its text
// holds no token, code, secret or text of the provider's, so it can be logged
// and shown.
type Error struct {
	// Step is where in the login it happened.
	Step Step
	// Fault says on whose side it lies.
	Fault Fault
	// Check names the check that refused: an [idtoken.Check] in words, or one
	// of "state", "iss", "parameters", "pending", "expired", "response_mode",
	// "token_type", "claims", "userinfo sub" and the like. "" when no check refused.
	Check string
	// Code is the provider's own error code (RFC 6749 §4.1.2.1, §5.2, OpenID
	// Connect Core §3.1.2.6), as it was sent but limited to 64 characters of
	// a-z, 0-9, "_", "-" and ".". "" when the provider gave none: then the
	// refusal is ours.
	Code string
	// Status is the HTTP status of the provider's answer, or 0.
	Status int
	// Reason says what was wrong, in words of ours.
	Reason string
	// Err is the cause, where there is one: an [*idtoken.Error], a context's
	// error, a network error.
	Err error
	// Session, on StepRefresh only, holds tokens that were received although the
	// step failed. Store it in the place of the old session, which is used up.
	Session *Session
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("oidcclient: ")
	b.WriteString(string(e.Step))
	if e.Check != "" {
		b.WriteString(" refused: ")
		b.WriteString(e.Check)
	}
	if e.Reason != "" {
		b.WriteString(": ")
		b.WriteString(e.Reason)
	}
	if e.Code != "" {
		b.WriteString(": provider said ")
		b.WriteString(e.Code)
	}
	if e.Status != 0 && e.Status != 200 {
		fmt.Fprintf(&b, " (HTTP %d)", e.Status)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Retryable reports whether the same call may succeed later: the provider was
// not reached, or its answer did not depend on what it was sent.
func (e *Error) Retryable() bool { return e.Fault == FaultOutage }

// HTTPStatus returns what a handler answers to a browser: 400, or 403 to a person
// who said no; 502; or 503 where the same may work later.
func (e *Error) HTTPStatus() int {
	switch {
	case e.Fault == FaultOutage, e.Fault == FaultCanceled:
		return http.StatusServiceUnavailable
	case e.Fault == FaultProvider:
		return http.StatusBadGateway
	case e.Code == "access_denied":
		return http.StatusForbidden
	}
	return http.StatusBadRequest
}

// LoginAgain reports whether the session is over at the provider, so that only
// a new login helps: the refresh token was refused (RFC 6749 §5.2
// invalid_grant), or the refreshed identity is somebody else's.
func (e *Error) LoginAgain() bool {
	return e.Step == StepRefresh && (e.Code == "invalid_grant" || e.Fault == FaultAnswer)
}

// A ConfigError says which field of a [Config] is wrong. Reason holds no
// secret.
type ConfigError struct {
	Field  string // the field's name
	Reason string // what is wrong with it
	Err    error  // the cause, where there is one
}

func (e *ConfigError) Error() string { return "oidcclient: " + e.Field + " " + e.Reason }

// Unwrap returns the cause.
func (e *ConfigError) Unwrap() error { return e.Err }

// refuse makes the error of a check of this package.
func refuse(step Step, check, reason string) *Error {
	return &Error{Step: step, Fault: FaultAnswer, Check: check, Reason: reason}
}

// providerFault makes the error of an answer that is none.
func providerFault(step Step, status int, reason string) *Error {
	return &Error{Step: step, Fault: FaultProvider, Status: status, Reason: reason}
}

// outage makes the error of a provider that could not be reached. The cause's
// text is not taken: it may quote a URL with parameters.
func outage(ctx context.Context, step Step, err error) *Error {
	if ctx.Err() != nil {
		return &Error{Step: step, Fault: FaultCanceled, Reason: "ended by the caller", Err: ctx.Err()}
	}
	return &Error{Step: step, Fault: FaultOutage, Reason: "provider not reached", Err: err}
}

// keyFails makes the error of a key that does not sign, or is not reached to decrypt: it
// is somewhere else as often as not and may be back later.
func keyFails(ctx context.Context, step Step, reason string, err error) *Error {
	e := outage(ctx, step, err)
	if e.Fault == FaultOutage {
		e.Reason = reason
	}
	return e
}

// notBelieved turns a refusal by package idtoken into one of this package.
func notBelieved(ctx context.Context, step Step, err error) *Error {
	var refused *idtoken.Error
	if !errors.As(err, &refused) {
		return outage(ctx, step, err)
	}
	e := &Error{Step: step, Fault: FaultAnswer, Check: refused.Check.String(), Reason: refused.Reason, Err: err}
	if refused.Retryable() {
		e.Fault = FaultOutage
		if ctx.Err() != nil {
			e.Fault = FaultCanceled
		}
	}
	return e
}

// asOurs returns an error of this package as it is, and a refusal by package idtoken
// as one.
func asOurs(ctx context.Context, step Step, err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return notBelieved(ctx, step, err)
}

// at moves an error that a shared helper made to the step that called it.
func at(step Step, err error) error {
	var e *Error
	if errors.As(err, &e) {
		moved := *e
		moved.Step = step
		return &moved
	}
	return err
}

// safeCode limits a provider's error code to what cannot carry anything else.
func safeCode(code string) string {
	if len(code) > 64 {
		return "unprintable_error"
	}
	for _, r := range code {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_' && r != '-' && r != '.' {
			return "unprintable_error"
		}
	}
	return code
}
