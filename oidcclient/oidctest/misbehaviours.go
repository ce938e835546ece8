package oidctest

import (
	"net/http"
	"slices"
)

// Misbehaviours returns the list, grouped by what goes wrong: answers that are
// none at each endpoint, metadata, authorization responses, key sets, ID tokens,
// userinfo, refreshed tokens.
func Misbehaviours() []Misbehaviour {
	return slices.Concat(answerFaults(), metadataFaults(), callbackFaults(), keyFaults(), tokenFaults(),
		identityFaults(), userInfoFaults(), refreshFaults())
}

// place is an endpoint and where the relying party notices what is wrong there.
type place struct {
	name, client, check string
	step                Step
	grant               string
}

func places() []place {
	return []place{
		{name: "discovery", client: "discovery", step: StepDiscovery},
		{name: "keys", client: "identity", check: "key", step: StepKeys},
		{name: "token", client: "code exchange", step: StepToken, grant: "authorization_code"},
		{name: "userinfo", client: "userinfo", step: StepUserInfo},
		{name: "refresh", client: "refresh", step: StepToken, grant: "refresh_token"},
	}
}

// answerFaults spoil the answer of every endpoint in the same ways. A key set
// that can't be had is always an outage: it says nothing about the token.
func answerFaults() []Misbehaviour {
	var list []Misbehaviour
	for _, at := range places() {
		for _, kind := range spoilings() {
			m := Misbehaviour{
				Name: at.name + " " + kind.name, About: "The answer of " + at.name + " " + kind.about + ".",
				Class: kind.class, Step: at.client, Check: at.check, Outage: kind.outage || at.step == StepKeys,
				fault: fault{step: at.step, grant: at.grant, answer: kind.answer},
			}
			if at.step == StepUserInfo && kind.status == http.StatusUnauthorized {
				m.Check = "access_token"
			}
			list = append(list, m)
		}
	}
	return list
}
