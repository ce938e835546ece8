package main

import (
	"io/fs"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/internal/corpus"
)

// The corpus is what this program makes, byte for byte, and nothing else.
func TestFilesAreWhatIsMade(t *testing.T) {
	made, err := collect("../testdata")
	require.NoError(t, err)
	for path, text := range made.files {
		kept, err := fs.ReadFile(corpus.Files(), path)
		require.NoError(t, err, "go run ./internal/corpus/generate")
		assert.True(t, text == string(kept), "%s is another: go run ./internal/corpus/generate -all", path)
	}
	for _, kind := range made.kinds {
		names, err := fs.Glob(corpus.Files(), kind+"/*")
		require.NoError(t, err)
		for _, name := range names {
			assert.Contains(t, made.files, name, "nothing makes it: go run ./internal/corpus/generate -all")
		}
	}
}
