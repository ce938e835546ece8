package oidcclient

import (
	"errors"
	"net/http"

	"github.com/rely-go/rely/internal/fetch"
)

// requestTimeout is for one request with its body.
const requestTimeout = fetch.Timeout

// roundTrip sends one request and reads its answer.
func roundTrip(client *http.Client, step Step, req *http.Request) (*fetch.Answer, error) {
	got, err := fetch.Do(client, req)
	switch {
	case errors.Is(err, fetch.ErrTooLarge):
		return nil, providerFault(step, got.Status, err.Error())
	case err != nil:
		return nil, outage(req.Context(), step, err)
	}
	return got, nil
}
