// Package strictjson reads JSON from outside in the one strict way in which two
// readers can't disagree about it (RFC 7493): no member twice in an object,
// members found by their exact names, valid UTF-8 and whole surrogate pairs, a
// bounded depth, and nothing after the value. encoding/json does none of this:
// it takes the last of two members, and "SUB" for "sub".
//
// It wraps the jsontext package of github.com/go-json-experiment/json, which says
// whether a text is valid, and is its only importer; encoding/json decodes. Errors
// quote no values.
package strictjson
