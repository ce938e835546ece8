package redisstore

import (
	"testing"

	"github.com/rely-go/rely/oidcclient/store/storetest"
)

func TestContract(t *testing.T) {
	storetest.Test(t, func(t *testing.T) storetest.Store {
		return newStore(t, connect(t, engine.URL), "contract")
	})
}
