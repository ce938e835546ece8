package storetest

import (
	"testing"

	"github.com/rely-go/rely/oidcclient/weblogin"
)

func TestMemory(t *testing.T) {
	memory := weblogin.NewMemory(nil)
	Test(t, func(*testing.T) Store { return memory })
}
