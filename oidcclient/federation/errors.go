package federation

import (
	"context"
	"errors"

	"github.com/rely-go/rely/idtoken"
	"github.com/rely-go/rely/oidcclient"
)

// refuse makes the error of a check: somebody in the chain said something that can't be
// believed. Its text quotes nobody.
func refuse(check, reason string) *oidcclient.Error {
	return &oidcclient.Error{Step: oidcclient.StepDiscover, Fault: oidcclient.FaultProvider, Check: check, Reason: reason}
}

// unreached makes the error of somebody who did not answer.
func unreached(ctx context.Context, status int, err error) *oidcclient.Error {
	e := &oidcclient.Error{Step: oidcclient.StepDiscover, Fault: oidcclient.FaultOutage, Status: status, Reason: "an entity of the federation was not reached", Err: err}
	if ctx.Err() != nil {
		e.Fault, e.Reason, e.Err = oidcclient.FaultCanceled, "ended by the caller", ctx.Err()
	}
	return e
}

// unsigned turns the refusal of a signature into an error of this package's.
func unsigned(err error) *oidcclient.Error {
	check := "signature"
	var refused *idtoken.Error
	if errors.As(err, &refused) {
		check = refused.Check.String()
	}
	e := refuse(check, "statement is not signed with a key that its issuer has by the chain")
	e.Err = err
	return e
}

// isOutage reports whether somebody was not reached: the same may work later.
func isOutage(err error) bool {
	var e *oidcclient.Error
	return errors.As(err, &e) && e.Fault == oidcclient.FaultOutage
}

// isRefusal reports that somebody has answered, and the entity is not to be believed.
func isRefusal(err error) bool {
	var e *oidcclient.Error
	return errors.As(err, &e) && e.Fault != oidcclient.FaultOutage && e.Fault != oidcclient.FaultCanceled
}

// weightier chooses what is reported of two paths that led nowhere: that somebody was
// not reached, because then the same may work later; else the first.
func weightier(first, second error) error {
	if first == nil || isOutage(second) && !isOutage(first) {
		return second
	}
	return first
}
